"""`minutewise explain` as a person reads it: the parts of an explanation as plain text."""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from expectations.report.parts import ClockLine, Columns, Pairs, Paragraph, Part, Section, Table
from flows.explanation.compose.explanation import dated, explanation, patient_date
from flows.explanation.terminal.clock import draw
from flows.text_table import WIDTH, inert, table, wrap

#: Headings that are too wide for a terminal.
_SHORT = {
    "modifiers": "mods", "rendered by": "by", "clinician": "by", "discipline": "disc.", "version": "v",
    "supported": "support", "file and line": "row", "units at risk and their price": "units and their price",
}  # fmt: skip
_LONGEST_NAME = 32


def explain_text(derivation: dict) -> str:
    """The derivation as plain text of at most 100 columns where ids allow; nothing in it can move a terminal."""
    made = explanation(inert(derivation))
    text = [f"FINDING {made.finding_id}", "", f"{made.severity.upper()}  {made.title}", "", *wrap(made.message), ""]
    text += _pairs(made.subject)
    return _joined([*text, *_sections(section for section in made.sections if not section.is_aside)])


def day_text(derivation: dict) -> str:
    """A patient's date as plain text: why it is left unjudged, its findings, rows, minutes and units."""
    facts = inert(derivation)
    text = [f"PATIENT {facts['patient_id']}, {dated(facts['service_date'])}", ""]
    for one in facts["unjudged"]:
        silent = f"Some rules leave {one['discipline']} unjudged" if one["discipline"] else "No rule accuses"
        text += wrap(f"{silent} ({one['reason']}): {one['why']}.", hanging=4)
    text += wrap("Every rule judges the date.") if not facts["unjudged"] and facts["days"] else []
    text += [f"  {one['severity']:<7}  {one['finding_id'][:12]}  {one['rule_id']}" for one in facts["findings"]]
    text += _sections(patient_date(facts))
    return _joined([*text, "", *_pairs(Pairs((("Run", f"{facts['run_id']}, as of {facts['as_of']}"),)))])


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines)


def _sections(sections: Iterable[Section]) -> list[str]:
    return [line for section in sections for line in ("", section.title.upper(), "", *_parts(section.parts))]


def _parts(parts: Sequence[Part]) -> list[str]:
    """Parts with an empty line around each that is more than sentences."""
    text: list[str] = []
    before = None
    for part in parts:
        is_sentence = isinstance(part, Paragraph) and isinstance(before, Paragraph)
        text += [] if before is None or is_sentence else [""]
        text += _DRAWN[type(part)](part)
        before = part
    return text


def _paragraph(part: Paragraph) -> list[str]:
    return wrap(part.text, hanging=4)


def _pairs(part: Pairs) -> list[str]:
    width = min(_LONGEST_NAME, max(len(name) for name, _ in part.rows) + 2)
    told = [(f"{name:<{width - 2}}  ", value) for name, value in part.rows]
    if part.columns == 1:
        return [line for name, value in told for line in wrap(name + value, hanging=2 + width)]
    width = max(len(name) for name, _ in part.rows) + 2
    short = [f"{name:<{width}}{value}" for name, value in part.rows if width + len(value) <= WIDTH // 2 - 3]
    long = [(f"{name:<{width}}", value) for name, value in part.rows if width + len(value) > WIDTH // 2 - 3]
    half = (len(short) + 1) // 2
    text = [
        f"  {one:<{WIDTH // 2 - 3}}  {other}" for one, other in zip_longest(short[:half], short[half:], fillvalue="")
    ]
    return text + [line for name, value in long for line in wrap(name + value, hanging=2 + width)]


def _table(part: Table) -> list[str]:
    """The rows in columns; where they are too wide, the column of their sources stands below."""
    headers = [_SHORT.get(name, name) for name in part.headers]
    right = " ".join(name for name, own in zip(headers, part.headers, strict=True) if own in part.right)
    rows = [list(row) for row in part.rows]
    if part.marked and part.marks:
        headers = ["", *headers]
        rows = [["*" if number in part.marked else "", *row] for number, row in enumerate(rows)]
    text = table(headers, rows, right)
    below: list[str] = []
    if part.source in part.headers and max(map(len, text)) > WIDTH:
        place = len(headers) - len(part.headers) + part.headers.index(part.source)
        named = [f"{row[headers.index(_first(headers))]} {row[place]}" for row in rows if row[place]]
        below = wrap(f"Rows: {'; '.join(named)}", hanging=8)
        headers, rows = headers[:place] + headers[place + 1 :], [row[:place] + row[place + 1 :] for row in rows]
        text = table(headers, rows, right)
    legend = [f"  * {part.marks}"] if part.marked and part.marks else []
    return [*(wrap(part.caption) if part.caption else []), *text, *below, *legend]


def _first(headers: Sequence[str]) -> str:
    """The column that a row is called by."""
    return headers[1] if headers[0] == "" and len(headers) > 1 and headers[1] in ("claim", "which") else headers[0]


def _clock(part: ClockLine) -> list[str]:
    return [f"  {line}".rstrip() for line in draw(part, WIDTH - 2)]


def _columns(part: Columns) -> list[str]:
    return _parts(part.sections)


def _section(part: Section) -> list[str]:
    return [f"  {part.title}", "", *_parts(part.parts)]


_DRAWN: dict[type, Callable] = {
    Paragraph: _paragraph,
    Pairs: _pairs,
    Table: _table,
    ClockLine: _clock,
    Columns: _columns,
    Section: _section,
}
