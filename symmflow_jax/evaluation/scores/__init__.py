"""Metrics: what is measured of trained weights."""
