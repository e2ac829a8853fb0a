"""Flax modules: velocity networks `(x_t, y_t, t) -> (v_x, v_y)`, autoencoder, networks of metrics."""
