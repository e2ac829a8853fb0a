"""Inference with trained models: predictions in memory and on files, and export."""
