"""Sources of examples with random access, one file for each kind."""
