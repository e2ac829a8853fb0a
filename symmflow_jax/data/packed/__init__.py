"""Data sets packed into few large files (ArrayRecord shards) with a description beside them."""
