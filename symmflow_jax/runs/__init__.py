"""The folder of a run: checkpoints, identity, images and tables."""
