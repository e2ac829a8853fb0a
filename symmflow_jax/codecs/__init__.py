"""Codecs: conversions between images and labels and the state of the flow."""
