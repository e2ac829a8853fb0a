"""The border: tables of choices, and everything that a run is composed of, made from a config."""
