"""What a file of weights cannot tell, and a check of the loss on what was assumed."""
