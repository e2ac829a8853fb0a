"""Construction of data sources and batches from a config."""
