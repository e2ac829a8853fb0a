"""Functions of a trained model that are compiled once for all devices."""
