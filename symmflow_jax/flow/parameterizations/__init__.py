"""Parameterizations: what a network's output for a component means."""
