"""Weights from the Hugging Face hub: addresses, downloads, and what is recorded of a file."""
