"""Parameterizations: the meaning of a network's output for a component."""
