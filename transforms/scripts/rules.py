"""What recompute.py does with the rules one by one, as two queries: their violations and their counts."""

from functools import cache

import sqlglot

from transforms.models.load import VIOLATION_COLUMNS, Model, load_models


def violation_query() -> str:
    """The violations of all rules in the one shape of the proof stage; a column that a rule does not give is null."""
    return "\nunion all\n".join(_violations(rule) for rule in load_models("findings"))


def count_query() -> str:
    """The rule_count of all rules: subjects by rule, verdict and the subject's service date."""
    return "\nunion all\n".join(_counts(rule) for rule in load_models("findings"))


@cache
def columns_given(query: str) -> tuple[str, ...]:
    """The names of the columns that a model's query makes."""
    return tuple(sqlglot.parse_one(query, read="duckdb").named_selects)


def _violations(rule: Model) -> str:
    given = columns_given(rule.text)
    columns = [f"'{rule.name}' as rule_id"]
    columns += [
        f"cast({'held.' + name if name in given else 'null'} as {kind}) as {name}"
        for name, kind in VIOLATION_COLUMNS.items()
        if name != "rule_id"
    ]
    return f"select {', '.join(columns)}\nfrom {rule.name} as held\nwhere held.verdict = 'violated'"


def _counts(rule: Model) -> str:
    given = columns_given(rule.text)
    dates = ["held.service_date"] if "service_date" in given else []
    day = ""
    if "day_key" in given:
        dates.append("d.service_date")
        day = "\nleft join stg_therapy_day as d on d.day_key = held.day_key"
    date = f"coalesce({', '.join(dates)})" if len(dates) > 1 else dates[0]
    return (
        f"select '{rule.name}' as rule_id, held.verdict, {date} as service_date, count(*) as subjects\n"
        f"from {rule.name} as held{day}\ngroup by held.verdict, {date}"
    )
