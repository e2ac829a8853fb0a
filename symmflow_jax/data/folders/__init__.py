"""Folders of files: which are there, which are not read, and which belong together."""
