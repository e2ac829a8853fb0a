"""Inference on images of any size, in windows of the model's size or in one pass."""
