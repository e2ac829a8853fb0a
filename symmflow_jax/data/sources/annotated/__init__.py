"""Images of the user with annotations in the forms of other programs."""
