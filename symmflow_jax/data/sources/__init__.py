"""Sources: where examples come from, one file for each kind, all with random access."""
