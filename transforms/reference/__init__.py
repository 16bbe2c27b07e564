"""Reference tables: what each one is, and reading and overlaying them."""
