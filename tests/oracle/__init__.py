"""An independent oracle of the rule book in plain Python.

It shares no code and no formula with the SQL: minutes are sets of clock minutes, units are handed out one at
a time, every lawful split is enumerated. Slow, and meant to be read beside the rule book."""

from .audit import RULES, Result, audit
from .case import COLUMNS
from .days import World

__all__ = ["COLUMNS", "RULES", "Result", "World", "audit"]
