"""Evaluation: metrics with their protocols, and the report of them."""
