"""The fields of the config: their types, ranges and meanings."""
