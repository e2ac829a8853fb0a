"""Studies of the method on toy data: programs that train, evaluate and write a report."""
