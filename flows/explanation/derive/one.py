"""Derives one published finding again, from its run alone: every row, minute, unit and dollar it rests on.

The rows that bear on the finding are laid out anew from the run's accepted rows and counted by the audit's own SQL
models (many.py), so that a derivation can neither know more nor count otherwise than the audit did.
"""

from pathlib import Path

from flows.explanation.derive.many import derive_many
from flows.runs.choose import choose_run, few, published_runs
from flows.runs.read import published_rows, read_published
from transforms.errors import UsageProblem

SHORTEST_PREFIX = 4
_HEX = set("0123456789abcdef")


def derive(out: Path, finding_id: str, run_id: str | None = None) -> dict:
    """The derivation of one finding as a dict that JSON can hold; minutes and units as numbers, dollars as text.

    `finding_id` may be its first characters, at least 4. Raises UsageProblem where the run or the finding is not
    there, or several findings begin so.
    """
    wanted = _checked(finding_id)
    folder = choose_run(out, run_id)
    finding = _find(out, folder, wanted)
    (derivation,) = derive_many(folder, read_published(out, folder.name), [finding])
    return derivation


def _checked(finding_id: str) -> str:
    wanted = finding_id.strip().lower()
    if not wanted or not set(wanted) <= _HEX or len(wanted) > 64:
        raise UsageProblem(
            "a finding_id is made of the characters 0-9 and a-f, 64 at most; copy it from findings.csv or report.html"
        )
    if len(wanted) < SHORTEST_PREFIX:
        raise UsageProblem(f"{wanted}: too short, give at least {SHORTEST_PREFIX} characters of the finding_id")
    return wanted


def _find(out: Path, folder: Path, wanted: str) -> dict:
    found = _begin_so(folder, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        told = [f"{row['finding_id'][: len(wanted) + 6]} ({row['rule_id']})" for row in found]
        raise UsageProblem(f"{wanted}: {len(found)} findings begin so, give more characters: {few(told)}")
    others = (name for name in published_runs(out) if name != folder.name)
    elsewhere = [name for name in others if _begin_so(out / "runs" / name, wanted)]
    advice = (
        f"it is in another run, add --run {elsewhere[0]}"
        if elsewhere
        else ("take a finding_id from its findings.csv, or choose another run with --run")
    )
    raise UsageProblem(f"{wanted}: no finding of run {folder.name} begins so; {advice}")


def _begin_so(folder: Path, wanted: str) -> list[dict]:
    return published_rows(folder, "findings", "starts_with(finding_id, ?) order by finding_id", [wanted])
