"""A run from start to end: its stages in order, with and without a warehouse, and backfills."""
