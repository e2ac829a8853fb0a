"""What is made of the data section: sources by name, and batches of their examples."""
