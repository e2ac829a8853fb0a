"""Images from masks of which a part is unknown."""
