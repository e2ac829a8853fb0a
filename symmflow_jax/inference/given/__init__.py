"""What users give to a model in Python: images, masks and labels in the forms that they have."""
