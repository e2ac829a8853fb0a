"""Mixtures of training data, and what their examples lack."""
