"""Rows that could not be read: `minutewise quarantine` and what the report lists of them."""
