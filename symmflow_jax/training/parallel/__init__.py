"""How devices share a training: where arrays are, and how the step is compiled."""
