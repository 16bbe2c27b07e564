"""Where the tables, contracts, mappings and samples that come with the code are.

A checkout holds them in data/, a wheel in minutewise_data/ beside the packages (setup.py lays them there).
"""

from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[1]
_INSTALLED = _BESIDE / "minutewise_data"
IS_INSTALLED = _INSTALLED.is_dir()
DATA = _INSTALLED if IS_INSTALLED else _BESIDE / "data"
#: The rule book, where the tables' links to docs/rules.md lead.
RULE_BOOK = (_INSTALLED if IS_INSTALLED else _BESIDE) / "docs" / "rules.md"
