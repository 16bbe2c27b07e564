"""Reading, ordering and running the SQL models."""
