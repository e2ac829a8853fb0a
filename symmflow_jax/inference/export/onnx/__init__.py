"""Conversion of programs of JAX to graphs of ONNX."""
