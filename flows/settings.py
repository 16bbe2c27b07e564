"""What a user may ask of an audit, checked before anything is read."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from transforms.contract.fields import TABLES
from transforms.database.duckdb_file import checked_memory_limit, checked_threads
from transforms.database.encryption import read_key
from transforms.dates import FIRST_DAY, LAST_DAY
from transforms.errors import UsageProblem
from transforms.extract.places import require_apart
from transforms.models.run import Setting
from transforms.reference.definitions import GUARD_UNITS

#: Severities from the gravest down; --fail-on SEVERITY looks at that one and the graver ones.
SEVERITIES = ("error", "warning", "review")


@dataclass(frozen=True)
class AuditSettings:
    """The options of `minutewise audit`: paths and dates only, never data."""

    out: Path
    as_of: date
    extracts: Path | None = None
    claims: str | None = None
    notes: str | None = None
    note_blocks: str | None = None
    mapping: Path | None = None
    claims_only: bool = False
    since: date | None = None
    until: date | None = None
    reference: Path | None = None
    crosswalk: Path | None = None
    warehouse: Path | None = None
    allow_low_match: bool = False
    fail_on: str = "never"
    fail_on_new: bool = False
    workbook_rows: int = 20_000
    removed: tuple[str, ...] = ()
    warehouse_key_file: Path | None = None
    group: str | None = None
    threads: int | None = None
    memory_limit: str | None = None
    override_guard: tuple[str, ...] = ()
    is_rebuild: bool = False
    engine: str = "duckdb"
    spark_master: str | None = None
    spark_conf: tuple[str, ...] = ()
    spark_output: str | None = None

    def __post_init__(self):
        if self.is_rebuild and self.warehouse is None:
            raise UsageProblem("a rebuild needs --warehouse FILE: the warehouse that is built again")
        if self.extracts is None and self.claims is None and not self.is_rebuild:
            raise UsageProblem("no extracts: give --extracts DIR, or --claims PATH with --notes and --note-blocks")
        if not FIRST_DAY <= self.as_of <= LAST_DAY:
            raise UsageProblem(f"--as-of {self.as_of}: must lie between {FIRST_DAY} and {LAST_DAY}")
        if self.since and self.until and self.since > self.until:
            raise UsageProblem(f"--since {self.since} is after --until {self.until}; swap them")
        if self.fail_on_new and self.fail_on == "never":
            raise UsageProblem("--fail-on-new needs --fail-on error, warning or review: else no finding fails a run")
        for option, path in (("--out", self.out), ("--warehouse", self.warehouse)):
            if path and "?" in str(path):
                raise UsageProblem(
                    f"{option} {path}: DuckDB cannot work in a path with a question mark; choose another"
                )
            if path and any("\ud800" <= letter <= "\udfff" for letter in str(path)):
                raise UsageProblem(f"{option} {path}: DuckDB cannot work in a path that is not UTF-8; choose another")
        if self.extracts:
            require_apart(self.extracts, self.out)
        if self.warehouse and (self.since or self.until):
            raise UsageProblem(
                "--warehouse goes with the whole history: leave --since and --until out, or audit without --warehouse"
            )
        if self.warehouse and self.warehouse.resolve().is_relative_to((self.out / "runs").resolve()):
            raise UsageProblem(f"--warehouse {self.warehouse}: lies among the published runs; choose another folder")
        for option in ("removed", "warehouse_key_file"):
            if getattr(self, option) and self.warehouse is None:
                raise UsageProblem(f"--{option.replace('_', '-')} needs --warehouse FILE")
        self._check_claims_only()
        self._check_engine()
        checked_threads(self.threads)
        checked_memory_limit(self.memory_limit)
        require_known_guards(self.override_guard)
        if self.workbook_rows < 1:
            raise UsageProblem(f"--workbook-rows {self.workbook_rows}: must be 1 or more")
        if self.workbook_rows > 1_000_000:
            raise UsageProblem("--workbook-rows can be 1,000,000 at most: a sheet holds no more rows")

    def _check_claims_only(self) -> None:
        """Raises UsageProblem for what an audit without notes cannot be given."""
        if not self.claims_only:
            return
        for option in ("notes", "note_blocks"):
            if getattr(self, option):
                raise UsageProblem(f"--{option.replace('_', '-')} goes not with --claims-only: leave one of them out")
        if self.warehouse:
            raise UsageProblem(
                "--warehouse goes not with --claims-only: a warehouse holds notes too; leave one of them out"
            )

    def _check_engine(self) -> None:
        """Raises UsageProblem for what only the other engine can do."""
        if self.engine == "duckdb":
            for option in ("spark_master", "spark_conf", "spark_output"):
                if getattr(self, option):
                    raise UsageProblem(f"--{option.replace('_', '-')} needs --engine spark")
            for option, place in self.explicit.items():
                if place and (place.startswith("table:") or "://" in place):
                    raise UsageProblem(f"--{option.replace('_', '-')} {place}: can be read with --engine spark only")
            return
        if self.warehouse:
            raise UsageProblem(
                "--warehouse is a DuckDB file, and --engine spark cannot work in it: leave one of them out"
            )
        for pair in self.spark_conf:
            if not re.fullmatch(r"spark\.[^=\s]+=.*", pair):
                raise UsageProblem("--spark-conf: must be written KEY=VALUE, as spark.driver.memory=4g")

    @cached_property
    def key(self) -> str | None:
        """The key of an encrypted warehouse."""
        return read_key(self.warehouse_key_file) if self.warehouse_key_file else None

    @property
    def explicit(self) -> dict[str, str | None]:
        """The path or glob given for each table, if any."""
        return {"claims": self.claims, "notes": self.notes, "note_blocks": self.note_blocks}

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the audit reads."""
        return ("claims",) if self.claims_only else TABLES

    @property
    def is_whole_scope(self) -> bool:
        """Only a run over all dates moves `current`."""
        return self.since is None and self.until is None

    @property
    def requires_match(self) -> bool:
        """Whether the run stops where few claims and notes match."""
        return not (self.allow_low_match or self.claims_only)

    @property
    def judged(self) -> Setting:
        """The as-of date and the service dates that the recomputation is asked for."""
        bounds = {"since": self.since, "until": self.until}
        given = {name: day for name, day in bounds.items() if day}
        return Setting(self.as_of, is_claims_only=self.claims_only, **given)


def severities_at_or_above(fail_on: str) -> tuple[str, ...]:
    """The severities that make a run exit 1; none for `never`."""
    return () if fail_on == "never" else SEVERITIES[: SEVERITIES.index(fail_on) + 1]


def require_known_guards(names: tuple[str, ...]) -> None:
    """Raises UsageProblem where --override-guard names no guard."""
    for name in names:
        if name not in GUARD_UNITS:
            raise UsageProblem(f"--override-guard {name}: no such guard; known are {', '.join(sorted(GUARD_UNITS))}")
