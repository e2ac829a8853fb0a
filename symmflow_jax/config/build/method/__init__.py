"""Construction of the method from a config."""
