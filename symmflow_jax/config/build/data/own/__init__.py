"""Sources of the user's own images and masks: their classes, their splits, and each form."""
