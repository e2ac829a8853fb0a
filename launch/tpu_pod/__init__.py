"""The launcher of TPU pods: the standard library alone, since a laptop may not have the project."""
