"""Guards: checks of the extracts as a whole that stop a night before anything is published."""
