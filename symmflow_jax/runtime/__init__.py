"""Processes, signals, compilation, files and errors: the ground that a run stands on."""
