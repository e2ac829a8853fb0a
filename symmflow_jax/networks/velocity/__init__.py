"""Velocity networks `(x_t, y_t, t) -> (image's output, semantics' output)`."""
