"""Flax modules: velocity networks, the autoencoder of latents, and networks of metrics."""
