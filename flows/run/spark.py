"""The three heavy stages on Apache Spark: the session that they share, and what is handed over after them."""

import secrets
import shutil
from pathlib import Path

from flows.settings import AuditSettings
from transforms.accept.apply import apply_contract
from transforms.errors import UsageProblem
from transforms.extract import InputFile, Mapping, find_inputs
from transforms.models.run import Match, judge_rows, measure_match, require_match, stage_rows

#: All service dates in one pass: Spark cuts its windows itself.
_NO_PASSES = 1 << 62


class SparkRun:
    """Spark under one run: opened when first needed, closed with the run."""

    def __init__(self, settings: AuditSettings, work: Path):
        self._settings = settings
        self._work = work
        self._session = None
        self._engine = None

    @property
    def session(self):
        """The session, opened when first asked for."""
        if self._session is None:
            from transforms.engines.spark.session import open_session

            self._session = open_session(master_of(self._settings), self._work, self._settings.spark_conf)
        return self._session

    def find_inputs(self, mapping: Mapping | None) -> list[InputFile]:
        """The files and tables of the run; raises UsageProblem for CSV, which only DuckDB reads."""
        from transforms.engines.spark.sources import find_sources, is_remote

        settings = self._settings
        remote = {table: pattern for table, pattern in settings.explicit.items() if is_remote(pattern)}
        local = {table: pattern for table, pattern in settings.explicit.items() if table not in remote}
        files = find_inputs(settings.extracts, local, mapping, "claims" not in remote, settings.tables)
        files = [file for file in files if file.table_name not in remote]
        for file in files:
            if file.format == "csv":
                raise UsageProblem(
                    f"{file.file_name}: is CSV, and --engine spark reads Parquet only: write it as Parquet, or leave "
                    "--engine out"
                )
        for table, pattern in remote.items():
            files += find_sources(self.session, table, pattern, len(files) + 1)
        return files

    def extract(self, con, files: list[InputFile], mapping: Mapping | None) -> None:
        """Gives Spark the reference tables in `con`, and names the files' rows there."""
        from transforms.engines.spark.engine import SparkEngine
        from transforms.engines.spark.handover import give
        from transforms.engines.spark.load import load_on_spark

        if self._engine:
            self._engine.close()
        self._engine = SparkEngine(self.session, f"minutewise_{secrets.token_hex(6)}")
        give(con, self._engine)
        load_on_spark(self._engine, files, mapping)

    def contract(self, con) -> None:
        """Holds the rows against the contract on Spark; load_count is then in `con`."""
        from transforms.engines.spark.handover import hand_over

        apply_contract(self._engine, self._settings.as_of)
        hand_over(self._engine, con, self._work / "brought", ["load_count"])

    def recompute(self, con) -> Match:
        """Stages, recomputes and judges on Spark, and hands the results over to `con`."""
        from transforms.engines.spark.handover import hand_over, write_by_month

        setting = self._settings.judged
        stage_rows(self._engine, setting)
        match = measure_match(self._engine, setting)
        if self._settings.requires_match:
            require_match(self._engine, match)
        judge_rows(self._engine, setting, _NO_PASSES)
        hand_over(self._engine, con, self._work / "brought")
        write_by_month(self._engine, self._settings.spark_output or self._by_month.as_uri())
        return match

    @property
    def _by_month(self) -> Path:
        return (self._work / "by_month").absolute()

    def place_months(self, folder: Path) -> None:
        """Puts what Spark wrote by month into the run's folder, where it was not written elsewhere."""
        from transforms.engines.spark.handover import named_plainly

        if self._by_month.is_dir():
            named_plainly(self._by_month)
            for part in sorted(self._by_month.iterdir()):
                shutil.move(part, folder / part.name)

    def close(self) -> None:
        """Drops the run's tables, and ends the session."""
        if self._session is None:
            return
        from transforms.engines.spark.session import close_session

        engine, session = self._engine, self._session
        self._engine = self._session = None
        close_session(session, engine)


def master_of(settings: AuditSettings) -> str:
    """Where Spark runs: as told, else on this machine with as many threads as --threads says."""
    return settings.spark_master or f"local[{settings.threads or '*'}]"
