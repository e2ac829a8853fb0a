"""The mathematics of symmetrical flow matching: pure functions, no config, no files."""
