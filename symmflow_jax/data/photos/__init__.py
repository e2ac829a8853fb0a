"""Images of any number of channels and depth: read as they are, brought to [-1, 1], and shown."""
