"""Probability paths between clean data and noise."""
