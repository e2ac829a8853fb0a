"""Scores: sums and counts that merge over batches, devices and processes."""
