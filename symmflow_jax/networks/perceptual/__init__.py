"""Networks of metrics that compare images."""
