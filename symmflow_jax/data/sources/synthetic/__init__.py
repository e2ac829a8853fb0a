"""Synthetic sources, which need no download."""
