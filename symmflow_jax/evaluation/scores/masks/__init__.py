"""Scores of predicted masks."""
