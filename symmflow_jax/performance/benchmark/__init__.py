"""Timings on this machine (`--mode=benchmark`)."""
