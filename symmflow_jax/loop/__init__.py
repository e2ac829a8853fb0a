"""The training loop: what comes before its first step, and its steps with all that they leave."""
