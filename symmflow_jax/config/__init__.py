"""The configuration: values, checks, and construction of objects from them."""
