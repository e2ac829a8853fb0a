"""Exchange of weights with PyTorch: files, kinds of networks and names of arrays."""
