"""Published weights in and out: PyTorch's files, kinds of networks and names of arrays."""
