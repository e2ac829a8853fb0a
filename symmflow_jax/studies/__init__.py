"""Studies of the method on toys: programs that train, measure and write what they found."""
