"""Random changes of training examples, and how often each is shown."""
