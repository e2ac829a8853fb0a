"""Annotations of images as regions with labels, in the forms of other programs."""
