"""Labelled images as arrays: what they must be, and what to do where they are not."""
