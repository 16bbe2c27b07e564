"""The sentences of an explanation."""
