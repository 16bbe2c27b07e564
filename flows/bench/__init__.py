"""A benchmark that cannot flatter: extracts of any size, the audit of them, and the floor that it is held against."""
