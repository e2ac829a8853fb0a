"""The parts that training data is mixed of."""
