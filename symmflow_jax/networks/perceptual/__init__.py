"""Networks by which metrics compare images."""
