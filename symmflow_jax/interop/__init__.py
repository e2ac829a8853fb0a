"""PyTorch weights in and out of the networks."""
