"""Sources of images with one label each."""
