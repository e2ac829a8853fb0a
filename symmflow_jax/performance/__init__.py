"""Performance: speed, memory and operations of programs."""
