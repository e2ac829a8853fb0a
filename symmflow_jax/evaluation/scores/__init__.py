"""Metrics of evaluated weights."""
