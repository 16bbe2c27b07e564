"""Great Expectations judges the finished DuckDB file: the contract, and one verdict a rule."""

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import import_module
from pathlib import Path

import duckdb

from transforms.database.duckdb_file import checked_memory_limit, checked_threads
from transforms.errors import AuditError
from transforms.under_way import noted, under_way

VERDICTS = ("passed", "failed", "not_applicable", "error")
REGISTRY = ("rule_id", "title", "severity", "citation")


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations says of a run.

    rules: rule id -> passed, failed, not_applicable or error. contract_failures: names and counts of rows
    only. results_json: the suites' results as JSON, without row values. import_seconds: what importing Great
    Expectations took, which is the same for any number of rows.
    """

    rules: dict[str, str]
    contract_ok: bool
    contract_failures: list[str] = field(default_factory=list)
    results_json: dict = field(default_factory=dict)
    import_seconds: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What DuckDB may use while it judges: threads, memory (such as 4GB), and the folder for what memory does not
    hold; None: as DuckDB sets it."""

    threads: int | None = None
    memory_limit: str | None = None
    temp_directory: Path | None = None


def judge(
    database: Path,
    context_dir: Path,
    run_id: str,
    shareable_name: str | None = None,
    as_of: date | None = None,
    key: str | None = None,
    limits: Limits | None = None,
) -> Verdict:
    """Runs the contract suites and the rule suite over the DuckDB file `database`, and builds Data Docs.

    `context_dir` keeps the context, the results of every run under its `run_id`, and the Data Docs. The file
    is opened read-only, may be open nowhere in this process for writing, and is free again afterwards.
    `key` opens an encrypted file.
    `shareable_name` is what Data Docs call the database (default: minutewise). `as_of` lets the contract's
    `as_of+1` be judged. `limits` bind DuckDB here as in the other stages.
    Raises AuditError, never with a row's value, where the file or the context cannot be read.
    """
    if not database.is_file():
        raise AuditError("the audit's database is not there; run the stages before the judgement")
    try:
        started = time.monotonic()
        _import_great_expectations()
        import_seconds = round(time.monotonic() - started, 3)
        with _connect_arguments(database, key, limits or Limits()) as arguments, _without_progress_bar():
            registry = _registry(arguments)
            results = _results(arguments, context_dir, run_id, shareable_name or "minutewise", registry, as_of)
    except AuditError:
        raise
    except Exception as problem:
        # Its text may quote a row: the kind of error is all that is told.
        kind, place = type(problem).__name__, "".join(f", {part}" for part in noted(problem))
        raise AuditError(f"Great Expectations could not judge the run ({kind}{place}); nothing is published") from None
    return replace(_verdict(results, [row["rule_id"] for row in registry]), import_seconds=import_seconds)


def _import_great_expectations() -> None:
    """Imports Great Expectations, quietly and offline; here, not above, for it takes seconds."""
    from expectations.suites.offline import import_http_offline, leave_statistics_unread, spark_unread

    import_http_offline()
    leave_statistics_unread()
    with warnings.catch_warnings(), spark_unread():
        warnings.simplefilter("ignore")
        for module in ("context", "contract_suite", "docs_site", "rule_suite"):
            import_module(f"expectations.suites.{module}")


def agree(verdict: Verdict, statuses: Mapping[str, str]) -> None:
    """Raises AuditError naming the rules whose verdict differs from the status their findings give them."""
    pairs = {
        rule: (statuses.get(rule, "none"), verdict.rules.get(rule, "none"))
        for rule in sorted({*statuses, *verdict.rules})
    }
    told = [f"{rule} ({own} by its findings, {judged})" for rule, (own, judged) in pairs.items() if own != judged]
    if told:
        raise AuditError(f"Great Expectations judges otherwise; nothing is published: {', '.join(told)}")


@contextmanager
def _connect_arguments(database: Path, key: str | None, limits: Limits) -> Iterator[dict]:
    """How SQLAlchemy is told to open the file: as it is, or through an open one where it is encrypted."""
    if key is None:
        given = {"threads": checked_threads(limits.threads), "memory_limit": checked_memory_limit(limits.memory_limit)}
        given["temp_directory"] = limits.temp_directory and str(limits.temp_directory)
        config = {setting: value for setting, value in given.items() if value}
        # The path goes in by connect_args: in a URL, "?" or "#" in a folder's name would end it.
        yield {"database": str(database), "read_only": True, "config": config}
        return
    from expectations.suites.keyed import unlocked

    with unlocked(database, key, limits.threads, limits.memory_limit) as arguments:
        yield arguments


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """Keeps DuckDB's progress bar off stdout, which is data: where the main module is no file, it is on by default."""
    from sqlalchemy import Engine, event

    def hush(connection, _record) -> None:
        connection.cursor().execute("set enable_progress_bar = false")

    event.listen(Engine, "connect", hush)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hush)


def _registry(arguments: dict) -> list[dict]:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    engine = create_engine("duckdb:///:memory:", connect_args=dict(arguments))
    try:
        with engine.connect() as connection:
            columns = ", ".join(REGISTRY)
            rows = connection.execute(text(f"select {columns} from ref_audit_rule order by rule_id")).fetchall()
    except (duckdb.Error, SQLAlchemyError) as problem:
        kind = type(getattr(problem, "orig", None) or problem).__name__
        raise AuditError(f"the audit's database cannot be judged ({kind}); is it open for writing?") from None
    finally:
        engine.dispose()
    return [dict(zip(REGISTRY, row, strict=True)) for row in rows]


def _results(
    arguments: dict, context_dir: Path, run_id: str, name: str, registry: list[dict], as_of: date | None
) -> dict[str, dict]:
    """Runs every suite and builds the pages: suite -> its results as JSON, without values."""
    from expectations.suites.context import new_run, open_context, open_tables, private_files, quiet
    from expectations.suites.contract_suite import contract_checks
    from expectations.suites.docs_site import build_site
    from expectations.suites.rule_suite import rule_checks

    checks = {f"contract_{table}": (table, held) for table, held in contract_checks(as_of).items()}
    checks["rules"] = ("rule_result", rule_checks(registry))
    with quiet(), private_files(context_dir):
        context, run = open_context(context_dir), new_run(run_id)
        with open_tables(context, name, arguments, [table for table, _ in checks.values()]) as batches:
            results = {
                suite: _run(context, suite, batches[table], held, run) for suite, (table, held) in checks.items()
            }
        build_site(context, context_dir, run)
    return results


def _run(context, name: str, batch, checks: list, run) -> dict:
    """One suite over one table; GX stores its results under the run's name."""
    import great_expectations as gx

    from expectations.suites.context import RESULT_FORMAT
    from expectations.suites.valueless import without_values

    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=checks))
    definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    with under_way(f"suite {name}"):
        result = context.validation_definitions.add(definition).run(result_format=RESULT_FORMAT, run_id=run)
    return without_values(result.to_json_dict())


def _verdict(results: dict[str, dict], rule_ids: list[str]) -> Verdict:
    rules = dict.fromkeys(rule_ids, "error")
    failures = []
    for suite, result in results.items():
        for one in result["results"]:
            # Results do not come in the suite's order: meta says whose each is.
            meta = one["expectation_config"]["meta"]
            if suite == "rules":
                rules[meta["rule_id"]] = _rule_verdict(one)
            elif (problem := _contract_problem(one)) is not None:
                failures.append(f"{meta['check']}: {problem}")
    return Verdict(rules, not failures, sorted(failures), results)


def _rule_verdict(one: dict) -> str:
    """An expectation that raised reads success: false, so the exception is looked at before anything else."""
    if one["exception_info"]["raised_exception"]:
        return "error"
    verdict, observed = one["result"].get("details", {}).get("verdict"), one["result"].get("observed_value")
    is_consistent = {
        "failed": not one["success"] and isinstance(observed, int) and observed > 0,
        "passed": one["success"] and observed == 0,
        "not_applicable": one["success"],
    }
    return verdict if is_consistent.get(verdict) else "error"


def _contract_problem(one: dict) -> str | None:
    if one["exception_info"]["raised_exception"]:
        return one["exception_info"]["exception_message"]
    counts = one["result"]
    count = counts.get("unexpected_count", counts.get("observed_value"))
    if one["success"] and count in (0, None):
        return None
    return f"{count} rows"
