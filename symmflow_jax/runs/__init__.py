"""The folder of a run: checkpoints, identity, resumption, images and tables."""
