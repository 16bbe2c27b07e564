"""The rows and steps behind a finding, recomputed by the SQL models."""
