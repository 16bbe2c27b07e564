"""`minutewise sql`: writes the scripts of a database into a folder, each with a header that says what it is."""

import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from flows.failures import system_words
from transforms.dates import FIRST_DAY, LAST_DAY
from transforms.errors import UsageProblem
from transforms.models.run import Setting
from transforms.scripts import Script, scripts
from transforms.scripts.writing import DATABASES, EXECUTED

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*){0,2}")
#: How the scripts are run one after the other, with each database's own client; the database is called clinic.
_RUN = {
    "postgres": (
        "psql -v ON_ERROR_STOP=1 -d clinic -f 01_input_tables.sql\n"
        "cat 0[2-9]_*.sql 1*.sql | psql -v ON_ERROR_STOP=1 --single-transaction -d clinic -f -"
    ),
    "duckdb": (
        "duckdb clinic.duckdb < 01_input_tables.sql\n"
        "(echo 'begin;'; cat 0[2-9]_*.sql 1*.sql; echo 'commit;') | duckdb -bail clinic.duckdb"
    ),
    "snowflake": (
        "snow sql -f 01_input_tables.sql\nfor script in 0[2-9]_*.sql 1*.sql; do snow sql -f $script || break; done"
    ),
    "bigquery": (
        "bq query --use_legacy_sql=false < 01_input_tables.sql\n"
        "for script in 0[2-9]_*.sql 1*.sql; do bq query --use_legacy_sql=false < $script || break; done"
    ),
    "databricks": "one SQL task a file in a job, each after the one before; 01_input_tables.sql once, by hand",
}


def write_scripts(
    dialect: str,
    out: Path,
    schema: str | None,
    reference: Path | None,
    as_of: date,
    since: date | None,
    until: date | None,
) -> list[Path]:
    """Writes README.md and the scripts into `out`, a new or empty folder, and gives their paths in order.

    Raises UsageProblem where the folder holds something or cannot be written, and for a schema that is no name, dates
    that do not go together, or a broken reference row.
    """
    made = scripts(dialect, _setting(as_of, since, until), reference, _checked_schema(schema))
    if any("\0" in script.text for script in made):
        raise UsageProblem(f"--reference {reference}: a value holds a NUL, which no script can; take it out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise UsageProblem(f"--out {out}: is not empty; give a new folder, so that no script of another time stays")
        files = {"README.md": _readme(dialect, made)}
        files |= {script.name: f"{_header(dialect, script)}\n{script.text}" for script in made}
        for name, content in files.items():
            (out / name).write_text(content, encoding="utf-8")
    except OSError as problem:
        raise UsageProblem(f"--out {out}: cannot be written ({system_words(problem)}); choose another folder") from None
    return [out / name for name in files]


def _setting(as_of: date, since: date | None, until: date | None) -> Setting:
    if not FIRST_DAY <= as_of <= LAST_DAY:
        raise UsageProblem(f"--as-of {as_of}: must lie between {FIRST_DAY} and {LAST_DAY}")
    if since and until and since > until:
        raise UsageProblem(f"--since {since} is after --until {until}; swap them")
    return Setting(as_of, **{name: day for name, day in (("since", since), ("until", until)) if day})


def _checked_schema(schema: str | None) -> str | None:
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise UsageProblem(
            f"--schema {schema!r}: must be a name, or up to three names joined by points, of letters, digits, _ and -"
        )
    return schema


def _standing(dialect: str) -> str:
    """Whether anybody has run these scripts."""
    database = DATABASES[dialect]
    if dialect in EXECUTED:
        return f"Executed: minutewise's own tests run these scripts on {database} and compare every finding."
    return (
        f"NOT EXECUTED: written for {database} and read back by a parser, but not executed on {database}. "
        "Run the scripts on the sample clinic first and compare the findings with an audit's."
    )


def _header(dialect: str, script: Script) -> str:
    return (
        f"-- {script.name}: {script.purpose}\n"
        f"-- Written by minutewise {version('minutewise')} for {DATABASES[dialect]}.\n"
        f"-- {_standing(dialect)}\n"
    )


def _readme(dialect: str, made: list[Script]) -> str:
    listed = "\n".join(f"- `{script.name}`: {script.purpose}" for script in made)
    return f"""# minutewise on {DATABASES[dialect]}

{_standing(dialect)}

{listed}

Run them in this order. `01_input_tables.sql` makes the tables that you fill and leaves those that are there; all others
make their tables anew, so they can be run every night. What is judged is judged as of the day in `03_settings.sql`:
change it there. `input_problem` (made by `04_input_checks.sql`) has to be empty before anything is believed.

```
{_RUN[dialect]}
```

Findings stand in `finding`, the units of every therapy day and code in `unit_published`, the verdict of each rule in
`rule_result`. How to fill the tables: docs/sql.md of minutewise {version("minutewise")}.
"""
