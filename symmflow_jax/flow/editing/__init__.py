"""Edits of a known image: FlowEdit, and pixels that are given."""
