"""Inference on files: from a folder into a folder."""
