"""The contract's fields, and the SQL that reads a cell of each kind."""
