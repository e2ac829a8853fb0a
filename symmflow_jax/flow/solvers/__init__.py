"""Solvers: numerical integration of a state, either way in time."""
