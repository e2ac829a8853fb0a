"""Inference on files: generate, segment, classify and sample, from a folder into a folder."""
