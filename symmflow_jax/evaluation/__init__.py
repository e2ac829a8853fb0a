"""Scores with their protocols, and the report of them beside the paper."""
