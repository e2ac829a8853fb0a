"""What users give to a command: a config file, and flags that override its values."""
