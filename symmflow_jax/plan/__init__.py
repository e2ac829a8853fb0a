"""What a config needs of a TPU, found out by compiling for it: no TPU and no data are needed."""
