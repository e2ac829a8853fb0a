"""Training: the state, the pure step, the optimizer, and how devices share the work."""
