"""From accepted rows to findings: staging once, then everything after it in passes over ranges of service dates.

No rule looks across service dates, so a pass over a range gives the same rows whatever the other dates hold. That keeps
windows small, and lets a later run recompute only the dates it touched.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from transforms.accept.low_match import why_low_match
from transforms.database.duckdb_file import rows_as_dicts
from transforms.database.sql_values import literal, row_values
from transforms.dates import FIRST_DAY, NO_LAST_DAY
from transforms.engines import EngineFault
from transforms.errors import AuditError, InputRejected, UsageProblem
from transforms.keys import date_of
from transforms.models.load import VIOLATION_COLUMNS, Model, load_models, naming, run_model

#: Rows of claim lines and blocks in one pass; more dates than this holds are split into several passes.
ROWS_PER_PASS = 3_000_000
_PART = "part"
_RESULT_TABLES = """
create or replace table rule_count (rule_id varchar, verdict varchar, service_date date, subjects bigint);
create or replace table rule_error (rule_id varchar, problem varchar);
drop table if exists finding;
drop table if exists unit_published;
drop table if exists date_count;
drop table if exists code_count;
"""
MACHINE_FAULTS = (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException, duckdb.FatalException)
#: What every pass adds to: the tables that a run publishes and sums up.
RESULTS = ("finding", "unit_published", "date_count", "code_count")
VERDICTS = ("violated", "passed", "unjudged")
MATCH_COUNTS = (
    "claim_days", "claim_days_with_note", "notes", "notes_with_claim", "counting_notes", "measured_notes",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What a run is asked: its only clock, the service dates that it judges (both ends in), and whether it reads no
    notes: then only the rules are run that need none."""

    as_of: date
    since: date = FIRST_DAY
    until: date = NO_LAST_DAY
    is_claims_only: bool = False


#: The columns of run_setting, of which there is one row.
RUN_SETTING = {"as_of_date": "date", "since_date": "date", "until_date": "date", "is_claims_only": "boolean"}


def setting_row(setting: Setting) -> tuple:
    """The row of run_setting."""
    return setting.as_of, setting.since, setting.until, setting.is_claims_only


@dataclass(frozen=True)
class Match:
    """How much of claims and notes meets each other, inside the dates that both extracts cover."""

    claim_days: int
    claim_days_with_note: int
    notes: int
    notes_with_claim: int
    counting_notes: int
    measured_notes: int
    minimum_share: float

    @property
    def claim_day_share(self) -> float | None:
        return self.claim_days_with_note / self.claim_days if self.claim_days else None

    @property
    def note_share(self) -> float | None:
        return self.notes_with_claim / self.notes if self.notes else None

    @property
    def is_low(self) -> bool:
        shares = [share for share in (self.claim_day_share, self.note_share) if share is not None]
        return any(share < self.minimum_share for share in shares)


def stage_rows(con, setting: Setting) -> None:
    """Creates the stg_ tables from ok_ and ref_ tables, quarantine, delivered_file and accepted_date."""
    columns = ", ".join(f"{name} {kind}" for name, kind in RUN_SETTING.items())
    con.execute(f"create or replace table run_setting ({columns})")
    con.execute(f"insert into run_setting values {row_values([setting_row(setting)])}")
    for model in load_models("staging"):
        run_model(con, model)


def measure_match(con, setting: Setting, by_date: str = "stg_match") -> Match:
    """How much of claims and notes meets, over the rows of `by_date` inside the dates that both extracts cover; where
    they share none, over every date asked, and nothing meets there."""
    sums = ", ".join(f"cast(coalesce(sum(m.{name}), 0) as bigint) as {name}" for name in MATCH_COUNTS)
    counts = rows_as_dicts(
        con,
        f"select {sums} from stg_coverage as c left join {by_date} as m "
        f"on m.service_date between {literal(setting.since)} and {literal(setting.until)} "
        "and (c.first_date is null or c.first_date > c.last_date "
        "or m.service_date between c.first_date and c.last_date)",
    )[0]
    day = literal(setting.as_of)
    minimum = con.execute(
        "select value from ref_parameter where name = 'minimum_match_share' "
        f"and {day} >= effective_from and {day} < effective_to"
    ).fetchone()
    return Match(**counts, minimum_share=float(minimum[0]) if minimum else 0.0)


def require_match(con, match: Match) -> None:
    """Raises InputRejected where too few claim days or notes meet the other extract; says what in them may be why."""
    if not match.is_low:
        return
    why = why_low_match(con)
    if not match.claim_days:
        raise InputRejected(
            f"the claims have no billed line of a therapy code on the dates asked for. {why} Check that the claims "
            "extract is whole, or --allow-low-match where this is meant"
        )
    raise InputRejected(
        f"few claims and notes match: {match.claim_days_with_note} of {match.claim_days} claim days have a note, and "
        f"{match.notes_with_claim} of {match.notes} notes have a claim; the minimum share is {match.minimum_share:g}. "
        f"{why} Check that both extracts are of the same patients and dates, give --crosswalk DIR where the systems "
        "use other ids, or --allow-low-match where this is meant"
    )


def judge_rows(con, setting: Setting, rows_per_pass: int = ROWS_PER_PASS, touched: str | None = None) -> None:
    """Creates finding, unit_published, date_count, code_count, rule_result and stage_count from stg_ tables, for the
    dates asked.

    `touched` names a table of the service dates to look at; without it they are all that have rows.
    """
    _require_registry(con)
    con.execute(_RESULT_TABLES)
    ranges = _date_ranges(con, setting, rows_per_pass, touched)
    for first, last in ranges or [(setting.since, setting.since)]:
        _run_pass(con, first, last, touched)
    for model in load_models("results"):
        run_model(con, model)


def _date_ranges(con, setting: Setting, rows_per_pass: int, touched: str | None) -> list[tuple[date, date]]:
    """Ranges of service dates, each as wide as fits into one pass."""
    counts = con.execute(
        "select service_date, count(*) from (select service_date from stg_line union all "
        "select service_date from stg_block union all select service_date from stg_note union all "
        "select service_date from stg_unjudged_day) "
        f"where service_date between {literal(setting.since)} and {literal(setting.until)} {_only(touched)} "
        "group by service_date order by service_date"
    ).fetchall()
    ranges, rows = [], 0
    for day, count in counts:
        if not ranges or rows + count > rows_per_pass:
            ranges.append([day, day])
            rows = 0
        ranges[-1][1] = day
        rows += count
    return [(first, last) for first, last in ranges]


def _only(touched: str | None) -> str:
    return f"and service_date in (select service_date from main.{touched})" if touched else ""


def _run_pass(con, first: date, last: date, touched: str | None) -> None:
    """Recomputes and judges the service dates first..last, adding to the result tables.

    The tables of staging are narrowed to these dates by views of the same name in the schema `part`. Those of minutes
    and units are temporary, and stay until the next pass makes its own.
    """
    con.execute(f"create schema if not exists {_PART}")
    dated = con.execute(
        "select distinct table_name from duckdb_columns() where database_name = current_database() "
        "and schema_name = 'main' and column_name = 'service_date' and starts_with(table_name, 'stg_')"
    ).fetchall()
    for (table,) in dated:
        con.execute(
            f"create or replace view {_PART}.{table} as select * from main.{table} "
            f"where service_date between date '{first.isoformat()}' and date '{last.isoformat()}' {_only(touched)}"
        )
    con.execute(f"set search_path = '{_PART},main'")
    try:
        for model in (*load_models("minutes"), *load_models("units")):
            run_model(con, model, _PART)
        _run_rules(con)
        for model in load_models("proof"):
            run_model(con, model, _PART)
        for table in RESULTS:
            con.execute(f"create table if not exists main.{table} as select * from {_PART}.{table} limit 0")
            con.execute(f"insert into main.{table} by name select * from {_PART}.{table}")
    finally:
        con.execute("set search_path = 'main'")


def _run_rules(con) -> None:
    """Runs every rule; one that fails is noted in rule_error, so that its status is error and the others stand."""
    columns = ", ".join(f"{name} {kind}" for name, kind in VIOLATION_COLUMNS.items())
    con.execute(f"create or replace table {_PART}.violation ({columns})")
    is_claims_only = con.execute("select is_claims_only from run_setting").fetchone()[0]
    for model in load_models("findings"):
        if is_claims_only and not model.needs_no_note:
            continue
        try:
            _run_rule(con, model)
        except AuditError as problem:
            # A full disk or too little memory is no fault of the rule: the run fails, and says so.
            if isinstance(problem, EngineFault) or isinstance(problem.__cause__, MACHINE_FAULTS):
                raise
            con.execute(f"insert into main.rule_error values {row_values([(model.name, str(problem))])}")


def _run_rule(con, model: Model) -> None:
    """Counts a rule's verdicts and keeps its violations; AuditError where its text, verdicts or columns are wrong.

    The rule is a view, looked at twice: counting leaves out what it would say of each subject, and saying it of the
    few violations costs less than keeping it of all.
    """
    where = f"transforms/findings/{model.name}.sql"
    run_model(con, model, _PART)
    with naming(model):
        given = {row[0] for row in con.execute(f"describe {_PART}.{model.name}").fetchall()} - {"verdict"}
        if given - VIOLATION_COLUMNS.keys():
            odd = ", ".join(sorted(given - VIOLATION_COLUMNS.keys()))
            raise AuditError(f"{where}: no finding has the columns {odd}")
        _count_verdicts(con, model, where, given)
        con.execute(
            f"insert into {_PART}.violation by name select {literal(model.name)} as rule_id, * exclude (verdict) "
            f"from {_PART}.{model.name} where verdict = 'violated'"
        )
        con.execute(f"insert into main.rule_count select {literal(model.name)}, * from {_PART}.verdict_count")


def _count_verdicts(con, model: Model, where: str, given: set[str]) -> None:
    """verdict_count: a rule's subjects by verdict and service date; AuditError where a verdict is none."""
    con.execute(
        f"create or replace table {_PART}.verdict_count as select held.verdict, "
        f"{_subject_date(where, given)} as service_date, count(*) as subjects "
        f"from {_PART}.{model.name} as held group by all"
    )
    strange = con.execute(
        f"select coalesce(cast(sum(subjects) as bigint), 0) from {_PART}.verdict_count "
        f"where verdict is null or verdict not in ({', '.join(map(literal, VERDICTS))})"
    ).fetchone()[0]
    if strange:
        raise AuditError(f"{where}: a verdict is {', '.join(VERDICTS)}; {strange} rows say something else")


def _subject_date(where: str, given: set[str]) -> str:
    """The service date of a rule's subject: every count belongs to a date. A day_key holds its date."""
    if "day_key" not in given and "service_date" not in given:
        raise AuditError(f"{where}: a subject needs a day_key or a service_date")
    own = ["held.service_date"] if "service_date" in given else []
    of_day = [date_of("held.day_key")] if "day_key" in given else []
    return f"coalesce({', '.join([*own, *of_day])})"


def _require_registry(con) -> None:
    """Raises UsageProblem where a rule has no registry row, or a row no rule: it would be left out in silence."""
    registered = {rule for (rule,) in con.execute("select rule_id from ref_audit_rule").fetchall()}
    odd = sorted(registered ^ {model.name for model in load_models("findings")})
    if odd:
        raise UsageProblem(
            f"data/reference/audit_rules.csv and transforms/findings do not name the same rules: {', '.join(odd)}; "
            "a rule is both a row there and a file here"
        )
