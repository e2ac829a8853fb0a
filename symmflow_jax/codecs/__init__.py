"""Codecs: between images and labels and the state that the flow moves."""
