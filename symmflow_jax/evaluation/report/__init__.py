"""The report of an evaluation, with the paper's figures."""
