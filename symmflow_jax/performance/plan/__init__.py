"""`--mode=plan`: what a config needs of a TPU, found out by compiling for it."""
