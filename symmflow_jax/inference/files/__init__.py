"""Inference on files: inputs from a folder, outputs to a folder."""
