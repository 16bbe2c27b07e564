"""The packages minutewise is made of: licenses, bill of materials, advisories."""
