"""Edits of photo files."""
