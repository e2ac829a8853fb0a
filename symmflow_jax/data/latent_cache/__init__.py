"""A cache of encoded training examples on disk, in ArrayRecord files.

A record holds the moments of the posterior of an image, from which every epoch draws new samples,
and the labels. Labels are encoded in each step, because their dequantization noise is in pixels.

Moments are float16. Its rounding error is an eighth of that of bfloat16, in which the autoencoder
usually computes. ArrayRecord compresses the records.
"""
