"""Training: the state, the pure step, the optimizer and the distribution over devices."""
