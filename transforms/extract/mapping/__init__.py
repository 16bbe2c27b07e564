"""Mappings: an extract's own column names, date formats and cells read as the contract's."""
