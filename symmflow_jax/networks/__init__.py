"""Velocity networks: Flax modules of `(x_t, y_t, t) -> (v_x, v_y)`."""
