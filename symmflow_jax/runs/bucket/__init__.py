"""A run whose folder is in a bucket: its lock, the files that grow, and copied checkpoints."""
