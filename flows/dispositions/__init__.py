"""Decisions that people make on findings: the log, and reading decisions from files."""
