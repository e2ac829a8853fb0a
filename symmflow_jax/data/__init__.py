"""Data: sources of examples, and the Grain pipelines that batch them."""
