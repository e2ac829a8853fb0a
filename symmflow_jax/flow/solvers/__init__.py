"""Solvers: numerical integration of the joint state, either way in time."""
