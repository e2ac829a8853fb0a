"""Pictures of examples and curves, as uint8 arrays."""
