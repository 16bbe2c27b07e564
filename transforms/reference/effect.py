"""Reference rows that would change nothing are refused: whoever wrote one believes that it holds.

A row is looked at beside the rows of the other tables, as they are in force: a cap of a code that no table knows binds
no line, and an alias to one documents nothing.
"""

from transforms.errors import UsageProblem

IN_SCOPE = ("timed_15", "untimed")
THERAPY = (*IN_SCOPE, "other_length")


def check_effects(tables: dict[str, list]) -> None:
    """Looks at the rows of every table, laid over each other; raises UsageProblem for one without effect."""
    kinds = _Kinds(tables["procedure_code"])
    for row in tables["code_cap"]:
        _check_cap(row, kinds)
    counting = [row for row in tables["code_alias"] if row.values["relation"] == "counts_as"]
    for row in tables["code_alias"]:
        _check_alias(row, kinds, counting)


class _Kinds:
    """Which kinds a code has at some time within a period, for any payer."""

    def __init__(self, rows: list):
        self._rows = {}
        for row in rows:
            self._rows.setdefault(row.values["procedure_code"], []).append(row)

    def of(self, code: str, row) -> set[str]:
        return {other.values["kind"] for other in self._rows.get(code, []) if _meet(other, row)}


def _meet(one, other) -> bool:
    return one.start < other.end and other.start < one.end


def _check_cap(row, kinds: _Kinds) -> None:
    kinds_held = kinds.of(row.values["procedure_code"], row)
    if not kinds_held:
        _refuse(row, "procedure_code", "has no row in procedure_code.csv on these dates, so the cap binds no line")
    if not kinds_held.intersection(THERAPY):
        _refuse(row, "procedure_code", f"is of kind {_listed(kinds_held)} on these dates, so no rule looks at its cap")


def _check_alias(row, kinds: _Kinds, counting: list) -> None:
    code, target, relation = (row.values[name] for name in ("procedure_code", "target_code", "relation"))
    if code == target:
        _refuse(row, "target_code", "is the code itself; name the other one")
    wanted = IN_SCOPE if relation != "counts_as" else ("timed_15",)
    held = kinds.of(target, row)
    if not held.intersection(wanted):
        _refuse(row, "target_code", _why_not(target, held, wanted))
    if relation != "counts_as":
        return
    held = kinds.of(code, row)
    if not held.intersection(wanted):
        _refuse(row, "procedure_code", _why_not(code, held, wanted))
    if any(other.values["procedure_code"] == target and _meet(other, row) for other in counting):
        _refuse(row, "target_code", f"{target} counts as another code itself; name that one")


def _why_not(code: str, held: set[str], wanted: tuple) -> str:
    if not held:
        return f"{code} has no row in procedure_code.csv on these dates; give it one, or name another code"
    return f"{code} is of kind {_listed(held)} on these dates; must be {' or '.join(wanted)}"


def _listed(kinds: set[str]) -> str:
    return " and ".join(sorted(kinds))


def _refuse(row, column: str, why: str) -> None:
    key = "/".join(str(part) for part in row.key if part)
    raise UsageProblem(f"{row.file}, line {row.line}, key {key}, column {column}: {why}")
