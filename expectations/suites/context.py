"""The Great Expectations context on disk, and the one way it may look into a DuckDB file.

Import this module only inside a function: it imports Great Expectations, which takes seconds.
"""

import html
import logging
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import great_expectations as gx
from great_expectations.datasource.fluent.interfaces import TestConnectionError

from expectations.suites.valueless import ValuelessStore
from transforms.errors import AuditError

# DuckDB drops a pending result at rollback, and by default every expectation then ends in an
# exception that reads "success: false". All three settings are needed, besides create_temp_table=False.
ENGINE_SETTINGS = {
    "isolation_level": "AUTOCOMMIT",
    "pool_reset_on_return": None,
    "skip_autocommit_rollback": True,
}

# BASIC without values: Data Docs and stored results hold verdicts and counts.
RESULT_FORMAT = {"result_format": "BASIC", "exclude_unexpected_values": True}

UNOPENED = "Great Expectations cannot open the audit's database: is every table there, and no writer open?"

# Under the context folder; the sites and results under that.
ROOT_FOLDER = "gx"
SITE_FOLDER = Path("uncommitted") / "data_docs" / "local_site"
RESULTS_FOLDER = Path("uncommitted") / "validations"
REWRITTEN = ("expectations", "validation_definitions")

_STORE = """  {name}:
    class_name: {kind}
    store_backend:
      module_name: {module}
      class_name: {backend}
      base_directory: {folder}/
      suppress_store_backend_id: true
"""

_CONFIG_HEAD = """config_version: 4.0
plugins_directory: plugins/
config_variables_file_path: uncommitted/config_variables.yml
analytics_enabled: false
data_context_id: {context_id}
progress_bars:
  globally: false
expectations_store_name: expectations_store
validation_results_store_name: validation_results_store
checkpoint_store_name: checkpoint_store
data_docs_sites:
  local_site:
    class_name: SiteBuilder
    show_how_to_buttons: false
    store_backend:
      class_name: TupleFilesystemStoreBackend
      base_directory: {site_folder}/
    site_index_builder:
      class_name: DefaultSiteIndexBuilder
fluent_datasources: {{}}
stores:
"""


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the log lines and warnings of Great Expectations off stderr: they may quote a row."""
    loggers = [logging.getLogger(name) for name in ("great_expectations", "sqlalchemy", "py.warnings")]
    before = [(logger, logger.propagate, logger.handlers[:], logger.level) for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.propagate, logger.handlers, logger.level = False, [logging.NullHandler()], logging.CRITICAL
        try:
            yield
        finally:
            for logger, propagate, handlers, level in before:
                logger.propagate, logger.handlers = propagate, handlers
                logger.setLevel(level)


@contextmanager
def private_files(folder: Path) -> Iterator[None]:
    """Everything made under `folder` inside the block belongs to its owner alone (0700, 0600)."""
    before = os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        os.umask(before)
        if folder.is_dir():
            _make_private(folder)


def open_context(context_dir: Path):
    """The file context under `context_dir`; settings and suites are written anew, the history is kept."""
    root = context_dir / ROOT_FOLDER
    root.mkdir(parents=True, exist_ok=True)
    # Comparing a new suite with the stored one costs GX seconds, and the contract may have changed anyhow.
    for folder in REWRITTEN:
        shutil.rmtree(root / folder, ignore_errors=True)
    (root / "great_expectations.yml").write_text(_config(), encoding="utf-8")
    return gx.get_context(mode="file", context_root_dir=str(root))


def new_run(run_id: str) -> gx.RunIdentifier:
    """One name and one moment for all suites of a run, so that the history shows them together."""
    return gx.RunIdentifier(run_name=run_id, run_time=datetime.now(UTC))


def shown(text: str) -> str:
    """A description as Data Docs may show it: they escape nothing, and fill in words behind a dollar sign."""
    return html.escape(text, quote=False).replace("$", "&#36;")


@contextmanager
def open_tables(context, name: str, arguments: dict, tables: list[str]) -> Iterator[dict]:
    """Opens a database through Great Expectations, by SQLAlchemy's connect arguments: table name -> whole-table batch.

    The file is let go when the block ends. Raises AuditError where it or a table cannot be opened.
    """
    source = None
    try:
        try:
            source = context.data_sources.add_or_update_sql(
                name=name,
                connection_string="duckdb:///:memory:",
                create_temp_table=False,
                kwargs={**ENGINE_SETTINGS, "connect_args": arguments},
            )
            batches = {table: _whole_table(source, table) for table in tables}
        except (gx.exceptions.GreatExpectationsError, TestConnectionError):
            raise AuditError(UNOPENED) from None
        yield batches
    finally:
        if source is not None:
            _let_go(source)


def _whole_table(source, table: str):
    return source.add_table_asset(table, table_name=table).add_batch_definition_whole_table("whole")


def _let_go(source) -> None:
    engine = source.get_execution_engine()
    engine.close()
    engine.engine.dispose()
    source.get_engine().dispose()


def _config() -> str:
    # A constant id: the context has no identity that could lead anywhere.
    context_id = uuid.uuid5(uuid.NAMESPACE_URL, "minutewise")
    text = _CONFIG_HEAD.format(context_id=context_id, site_folder=SITE_FOLDER.as_posix())
    plain = ("great_expectations.data_context.store", "TupleFilesystemStoreBackend")
    valueless = (ValuelessStore.__module__, ValuelessStore.__name__)
    for name, kind, (module, backend), folder in (
        ("expectations_store", "ExpectationsStore", plain, "expectations"),
        ("validation_results_store", "ValidationResultsStore", valueless, RESULTS_FOLDER.as_posix()),
        ("checkpoint_store", "CheckpointStore", plain, "checkpoints"),
        ("validation_definition_store", "ValidationDefinitionStore", plain, "validation_definitions"),
    ):
        text += _STORE.format(name=name, kind=kind, module=module, backend=backend, folder=folder)
    return text


def _make_private(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        if not path.is_symlink() and path.stat().st_mode & 0o777 != wanted:
            path.chmod(wanted)
