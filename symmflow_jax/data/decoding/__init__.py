"""Decoding of image files, and what the files say about their pictures."""
