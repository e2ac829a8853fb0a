"""The configuration: its values, their checks, and the border at which they become objects."""
