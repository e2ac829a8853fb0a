"""How fast programs are, and what they need."""
