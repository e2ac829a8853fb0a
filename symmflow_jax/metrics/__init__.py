"""Metrics: counts and sums that merge over batches, devices and processes."""
