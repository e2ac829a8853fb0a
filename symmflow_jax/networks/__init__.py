"""Flax modules: velocity networks `(x_t, y_t, t) -> (v_x, v_y)`, and those around them.

Around them are the autoencoder of latents and the networks by which metrics compare images.
"""
