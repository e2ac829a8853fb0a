"""Processes of one run: how they find each other, stop together, and notice a loss."""
