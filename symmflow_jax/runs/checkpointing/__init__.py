"""Checkpoints of a run: what lies in their folder, how they are written and read."""
