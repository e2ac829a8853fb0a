"""The geometry of pictures: how any size comes to the one that a model takes, and back."""
