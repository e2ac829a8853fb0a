"""Mask files: exact ids, colours of classes, and signs of masks that are not what they seem."""
