"""Couplings: which noise goes with which data."""
