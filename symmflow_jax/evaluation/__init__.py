"""Evaluation: metrics, their protocols and their report."""
