"""The SQL models in the dialects of other engines."""
