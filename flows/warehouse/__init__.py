"""The warehouse as a night uses it: opened, locked, encrypted, rebuilt from runs."""
