"""Tables that name every array of a network here and in PyTorch."""
