"""Preparation of a training: data checks, encoded data, imported weights, tuned networks."""
