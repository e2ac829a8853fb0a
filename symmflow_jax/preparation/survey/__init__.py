"""A survey of all examples of a split: findings, their description and remedies."""
