"""The contract applied: every row is accepted or set aside with a reason."""
