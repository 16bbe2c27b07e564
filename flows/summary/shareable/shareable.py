"""A run's summary as it may leave the house: nothing of it rests on 1 to 10 patients, or lets such a number be found.

Source: CMS Cell Size Suppression Policy (ResDAC, version of 2024-01-26). What each part of it comes to here, and why
nothing can be found by subtraction, is in docs/sharing.md; in short:

- a count is shown when it is 0, or at least 11 and of at least 11 patients;
- a sum that holds withheld counts is shown only when these stay open from 1 to 10, whatever else is shown;
- sizes (rows, subjects in scope, days) lie within each other, so that two of them differ by a small count: of these
  only the step of 20, 50, 100, 200, 500, ... is shown that they reach.
"""

from collections.abc import Iterable, Mapping

from flows.summary.shareable.page import LEAST, LEAST_RANGE, Page, is_large
from flows.summary.shareable.patients_behind import ROW, PatientsBehind
from flows.summary.shareable.rules import verdicts
from flows.summary.shareable.steps import step_below

_SHARES = (99, 95, 90, 75, 50)
_NOW = ("new", "still_open", "changed", "reopened")
#: What of each table's rows is one subject of the match.
_MATCHED = {"claim_day": ("claim_days", "claim_days_with_note", "date"), "note": ("notes", "notes_with_claim", "note")}
_ROWS_OF = {"claims": "claim line", "notes": "therapy day, note"}


def shareable(summary: Mapping, behind: PatientsBehind) -> dict:
    """The summary of a run (flows/summary/counts.py) with small cells withheld: None, and named in `suppressed`."""
    page = Page(summary, behind)
    decided = verdicts(page)
    document = {
        "run_id": summary["run_id"],
        "as_of": summary["as_of"],
        "is_part": bool(summary["since"] or summary["until"]),
        "least_patients": LEAST,
        "period": _period(page),
        "versions": summary["versions"],
        "rows": {table: _table(page, table, rows) for table, rows in summary["rows"].items()},
        "quarantine_reasons": _quarantine_reasons(page),
        "match": _match(page),
        "unjudged_days": _unjudged_days(page),
        **decided,
        "changes": _changes(page, decided["violations"]),
        "dispositions": _dispositions(page, decided["violations"]),
        "guards_fired": summary["guards_fired"],
        "contract_ok": summary["contract_ok"],
    }
    return document | {"suppressed": page.withheld}


def _period(page: Page) -> dict:
    """The months in which the service dates begin and end: a day may be one patient's."""
    months = {}
    for end, day in page.summary["period"].items():
        is_safe = day is None or page.behind.months.get(end, 0) >= LEAST
        months[f"{end}_month"] = page.cell(f"period.{end}_month", day and day[:7], is_safe)
    return months


def _table(page: Page, table: str, rows: Mapping[str, int]) -> dict:
    """A table's rows: of rows read twice no patient is kept, so that they are shown only where there are none."""
    path, kind = f"rows.{table}", _ROWS_OF.get(table, ROW)
    step = step_below(rows["read"])
    is_held = rows["read"] == 0 or (rows["accepted"] > 0 and page.holds(rows["accepted"], kind))
    return {
        "read_at_least": page.cell(f"{path}.read_at_least", step, step is not None and is_held),
        "quarantined": page.cell(
            f"{path}.quarantined",
            rows["quarantined"],
            is_large(rows["quarantined"], page.behind.quarantined.get(table, 0)),
        ),
        "duplicate": page.cell(f"{path}.duplicate", rows["duplicate"], rows["duplicate"] == 0),
    }


def _quarantine_reasons(page: Page) -> dict | None:
    reasons = page.summary["quarantine_reasons"]
    are_safe = all(is_large(rows, page.behind.quarantined.get(reason, 0)) for reason, rows in reasons.items())
    return page.cell("quarantine_reasons", reasons, are_safe)


def _match(page: Page) -> dict:
    """How much meets: the step of the days and notes, and a share they reach that may be 10 short of all of them."""
    match, told = page.summary["match"], {}
    for side, (whole, part, kind) in _MATCHED.items():
        kind = _ROWS_OF["notes"] if kind == "note" else kind
        step = page.size(f"match.{whole}_at_least", match[whole], kind)
        # 10 and more may lack: 1 to 10 of them cannot be told from none.
        known = [share for share in _SHARES if step and step * (100 - share) // 100 >= LEAST_RANGE]
        reached = next((share for share in known if match[part] * 100 >= share * match[whole]), None)
        told[f"{whole}_at_least"] = step
        told[f"{side}_share_at_least"] = page.cell(
            f"match.{side}_share_at_least", reached and reached / 100, reached is not None
        )
    return told


def _unjudged_days(page: Page) -> dict | None:
    reasons = page.summary["unjudged_days"]
    return page.cell("unjudged_days", reasons, all(page.holds(days, "date") for days in reasons.values()))


def _changes(page: Page, total: int | None) -> dict | None:
    """All counts or none: with the violations of two nights, some of them would give the others."""
    changes = page.summary["changes"]
    if changes is None:
        return None
    most, resolved = page.behind.resolved_ten_most, changes["resolved"]
    are_safe = total is not None and all(page.holds(changes[name], "finding") for name in _NOW)
    are_safe = are_safe and (resolved == 0 or (resolved >= LEAST and most is not None and resolved > most))
    return page.cell("changes", {name: changes[name] for name in ("previous_run", *_NOW, "resolved")}, are_safe)


def _dispositions(page: Page, total: int | None) -> dict | None:
    """All counts or none: what is decided of, and what is left undecided of the total."""
    counts = list(_leaves(page.summary["dispositions"]))
    left = 0 if total is None else max(total - sum(counts), 0)
    are_safe = all(page.holds(count, "finding") for count in (*counts, left)) or not any(counts)
    return page.cell("dispositions", page.summary["dispositions"], are_safe)


def _leaves(counts: Mapping) -> Iterable[int]:
    for held in counts.values():
        if isinstance(held, Mapping):
            yield from _leaves(held)
        else:
            yield held
