"""Semantics as continuous signals: encodings of masks and labels, and what predicts them."""
