"""The commands: the values of `--mode` with their flags."""
