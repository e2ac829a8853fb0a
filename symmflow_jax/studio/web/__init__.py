"""The server: who may ask, what is at which address, and the files of the page."""
