"""The whole recomputation as ordered SQL scripts, for users who must run it where their data lives.

What the scripts compute is what an audit computes: the same models, carried over by dialects.py, and around them what
recompute.py does in Python. An audit goes over ranges of service dates; a script goes over all of them at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transforms.accept.settle import ACCEPTED_DATES
from transforms.models.load import load_models
from transforms.models.run import RUN_SETTING, Setting, setting_row
from transforms.reference.definitions import KEPT
from transforms.reference.tables import InForce, reference_in_force
from transforms.scripts.checks import check_queries
from transforms.scripts.rules import columns_given, count_query, violation_query
from transforms.scripts.tables import input_tables
from transforms.scripts.writing import Writer

_VIEW = "-- form: view\n"
_MATCH = """
-- How many claims and notes match, within the dates that both cover. `minutewise audit` stops if fewer than half do.
select d.name, sum(d.amount) as amount
from date_count as d
cross join stg_coverage as c
where d.kind = 'match'
    and (c.first_date is null or c.first_date > c.last_date or d.service_date between c.first_date and c.last_date)
group by d.name
order by d.name"""
_LOOKS = (
    "-- What is wrong with the tables that you filled; empty where nothing is.\n"
    "select p.table_name, p.column_name, p.problem, p.row_count from input_problem as p "
    "order by p.table_name, p.column_name, p.problem",
    _MATCH,
    "-- The verdict of each rule.\n"
    "select r.rule_id, r.status, r.violations, r.in_scope, r.unjudged, r.at_risk_usd from rule_result as r "
    "order by r.rule_id",
    "-- Dollars at risk in all, each billed unit once.\n"
    "select (sum(d.amount) + 50) // 100 * cast(0.01 as decimal(2, 2)) as at_risk_usd from date_count as d "
    "where d.kind = 'at_risk_e4'",
    "-- Rows of each stage.\nselect s.place, s.stage, s.row_count from stage_count as s order by s.place",
)


@dataclass(frozen=True)
class Script:
    """One script: its file name, one sentence of what it does, and its statements."""

    name: str
    purpose: str
    text: str


def scripts(dialect: str, setting: Setting, overlay: Path | None = None, schema: str | None = None) -> list[Script]:
    """The scripts for a database, in the order in which they are run.

    `overlay` is a folder of a user's own reference tables. Raises UsageProblem for a broken row in one.
    """
    writer = Writer(dialect, schema)
    reference = reference_in_force(overlay)
    parts: tuple[tuple[str, str, Callable[[], list[str]]], ...] = (
        ("input_tables", "Makes the tables that you fill; run it once.", lambda: _inputs(writer)),
        ("reference", "The dated reference tables in force.", lambda: _reference(writer, reference)),
        ("settings", "The as-of date and the service dates that are judged.", lambda: _settings(writer, setting)),
        ("input_checks", "Counts what breaks the contract in the tables you filled.", lambda: _checks(writer)),
        ("staging", "Final lines and notes, disciplines, therapy days, unjudged days.", lambda: _staging(writer)),
        ("minutes", "The minutes that count, each once.", lambda: _models(writer, "minutes")),
        ("units", "Units by both methods, the expected split, caps.", lambda: _models(writer, "units")),
        ("rules", "Every rule: each subject that it looked at, with its verdict.", lambda: _rules(writer)),
        ("proof", "What findings rest on: the tables finding and unit_published.", lambda: _models(writer, "proof")),
        ("results", "One row a rule (rule_result), one row a stage.", lambda: _models(writer, "results")),
        ("look", "Shows what came of it.", lambda: [_headed(writer, look) for look in _LOOKS]),
    )
    return [
        Script(f"{number:02}_{name}.sql", purpose, "\n".join(statements()))
        for number, (name, purpose, statements) in enumerate(parts, start=1)
    ]


def _inputs(writer: Writer) -> list[str]:
    return [
        f"-- grain: {table.grain}\n" + writer.kept_table(table.name, table.types, table.needed, table.notes)
        for table in input_tables()
    ]


def _reference(writer: Writer, tables: list[InForce]) -> list[str]:
    return [
        writer.table(table.name, table.columns) + writer.rows(table.name, list(table.columns), table.rows)
        for table in tables
        if table.name in KEPT
    ]


def _settings(writer: Writer, setting: Setting) -> list[str]:
    rows = writer.rows("run_setting", list(RUN_SETTING), [list(setting_row(setting))])
    return [writer.table("run_setting", RUN_SETTING) + rows]


def _checks(writer: Writer) -> list[str]:
    return [writer.table_of(name, query) for name, query in check_queries().items()]


def _staging(writer: Writer) -> list[str]:
    """accepted_date and the staging models; then the dated ones are narrowed to the dates that are judged."""
    models = load_models("staging")
    narrowed = [model.name for model in models if "service_date" in columns_given(model.text)]
    return [
        "-- grain: one service date that any accepted row has\n" + writer.table_of("accepted_date", ACCEPTED_DATES),
        *_models(writer, "staging"),
        "-- Only the service dates that are asked for are judged.\n"
        + "".join(_narrow(writer, one) for one in narrowed),
    ]


def _narrow(writer: Writer, table: str) -> str:
    return writer.statement(
        f"delete from {table} where service_date < (select s.since_date from run_setting as s) "
        "or service_date > (select s.until_date from run_setting as s)"
    )


def _models(writer: Writer, stage: str) -> list[str]:
    """The stage's models, each as a table: a script that stops can be looked into."""
    return [writer.table_of(model.name, model.text.replace(_VIEW, "")) for model in load_models(stage)]


def _rules(writer: Writer) -> list[str]:
    return [
        *_models(writer, "findings"),
        "-- grain: one violation of a rule\n" + writer.table_of("violation", violation_query()),
        "-- grain: one rule, verdict and service date, with its subjects\n"
        + writer.table_of("rule_count", count_query()),
        "-- A rule that cannot be run stops the script, so this stays empty.\n"
        + writer.table("rule_error", {"rule_id": "varchar", "problem": "varchar"}),
    ]


def _headed(writer: Writer, look: str) -> str:
    """A query with the comment above it as it stands."""
    comment, _, query = look.strip().partition("\n")
    return f"{comment}\n{writer.statement(query)}"
