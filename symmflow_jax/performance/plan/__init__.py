"""Requirements of a config on a TPU, found by compiling for it (`--mode=plan`)."""
