"""Writes docs/contract.md from data/contracts/*.csv, so that the page can say nothing else than the contract does."""

from pathlib import Path

from transforms.contract.fields import REASONS, TABLES, Field, contract_fields, key_fields

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contract.md"
ROW_OF = {"claims": "claim line", "notes": "note version", "note_blocks": "service in a note"}
AS_OF_BOUND = "as_of+1"
TYPES = {
    "id": "text, at most 200 characters, no control characters",
    "text": "any text",
    "code": "four digits and a digit or letter, a letter and four digits, or 0 and three digits; modifiers may follow, "
    "as in `97112-GP` or, with its qualifier, `HC:97112:GP`",
    "modifier_list": "modifiers of two letters or digits, joined by `;`, `,` or blanks",
    "code_list": "codes joined by `;`",
    "choice": "one of the words named, in upper or lower case",
    "whole": "a whole number; `2.0` is 2, `2.5` is refused",
    "minutes": "minutes as a number, to four decimals: 7.75 is 7 minutes 45 seconds",
    "money": "US dollars with a decimal point, at most 4 decimals; also `$1,240.00`, and below zero `-5`, `5-`, `(5)`",
    "date": "`YYYY-MM-DD`, also with a time of midnight behind it",
    "timestamp": "`YYYY-MM-DD HH:MM[:SS]`, local, without a zone; the date alone is midnight",
    "clock": "`HH:MM[:SS]`, or a timestamp",
    "flag": "true/false, yes/no, y/n, t/f, 1/0",
}
LEAD = """# The contract of the extracts

<!-- Made from data/contracts/*.csv by `python -m transforms.contract.docs`; a test compares the two. -->

Three tables, each from one or more CSV or Parquet files. Columns may come in any order; a column that is not in
the tables below is ignored, and a missing column counts as empty. Blanks around a cell are removed, and an empty
cell has no value. Codes and words may be upper or lower case. Ids are normalized to Unicode NFC and otherwise
compared exactly: `P-7` and `p-7`, and `7` and `7.0`, are different ids.

A Parquet file may have up to 1,000,000 rows of any kind, and beyond that at most ten for each of its bytes. It may
unpack to 1 GB, and beyond that to a thousand times its size. A file that declares more, which is possible with rows
that are all alike, is rejected (exit 3), because reading a million equal rows takes 1.3 GB of memory. So is a column
of decimals of more than 38 digits. A floating-point id column is exact below 2^53 (2^24 in single precision); a row
with a larger id is set aside.

A row that breaks the contract goes to quarantine with its file, line, column and reason. It takes no other row along,
except that the blocks of a quarantined note go with it. No verdict depends on the columns marked °: if such a cell
cannot be read, it is left empty and counted (`cells_set_aside` in the manifest), and its row is accepted. A row equal
to another of its key, after all this, is a repeat. For every file: rows read = accepted + quarantined + repeats.
"""
CLOCKS = """Clock times without a date are on the service date of the note. An end before its start is taken as past
midnight if that makes at most 240 minutes, and rejected otherwise. A block without `note_version` belongs to the
version that counts: the highest that is not a draft.
"""


def contract_page() -> str:
    """The whole page as Markdown."""
    parts = [LEAD, *(_table_part(table) for table in TABLES), CLOCKS]
    parts.append(
        "## Types\n\n" + _grid(["type", "what a cell may hold"], [(f"`{t}`", said) for t, said in TYPES.items()])
    )
    reasons = [(f"`{reason}`", said) for reason, said in REASONS.items()]
    parts.append("## Reasons of quarantine\n\n" + _grid(["reason", "the row goes to quarantine because"], reasons))
    return "\n".join(parts)


def _table_part(table: str) -> str:
    key = " + ".join(f"`{name}`" for name in key_fields(table))
    rows = [
        (_named(field), field.type, field.default, _allowed(field), field.description)
        for field in contract_fields(table)
    ]
    grid = _grid(["column", "type", "default", "allowed", "meaning"], rows)
    marks = "Columns marked * are required; no verdict depends on those marked °."
    return f"## {table}\n\nOne row per {ROW_OF[table]}. Key: {key}. {marks}\n\n{grid}"


def _named(field: Field) -> str:
    return f"`{field.field}`{'*' * field.is_required}{'°' * (not field.is_verdict_bearing)}"


def _allowed(field: Field) -> str:
    if field.allowed:
        return ", ".join(field.allowed)
    if not field.minimum and not field.maximum:
        return ""
    last = "the day after the as-of date" if field.maximum == AS_OF_BOUND else field.maximum
    return f"{field.minimum} to {last}"


def _grid(header: list[str], rows: list[tuple]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(contract_page(), encoding="utf-8")
