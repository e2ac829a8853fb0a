"""Tables of choices, and construction of all parts of a run from a config."""
