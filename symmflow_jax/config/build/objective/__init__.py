"""What training minimizes: the table of objectives."""
