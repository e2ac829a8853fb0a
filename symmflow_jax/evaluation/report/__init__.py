"""The report of an evaluation, beside the paper."""
