"""What a model gives back in Python: results that can be saved, drawn and shown in notebooks."""
