"""The CSV reader."""
