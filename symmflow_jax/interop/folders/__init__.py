"""Folders of weights, as diffusers and accelerate write them: variants, and shards."""
