"""Generation in one pass or few, with recognition kept."""
