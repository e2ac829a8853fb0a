"""Sources that are drawn: no download."""
