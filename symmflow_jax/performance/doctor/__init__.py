"""The check of a machine or a pod before the first training."""
