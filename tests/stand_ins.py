"""What stands in for the slow parts of an audit in tests that are not about them.

Great Expectations and the report's charts and explanations are nine tenths of a small audit, and change nothing in the
tables that it publishes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from expectations.judge import Verdict
from transforms.database.duckdb_file import open_database


def judged_by_findings(database: Path, *_place, key=None, **_named) -> Verdict:
    """Great Expectations' verdicts as the findings give them, also of an encrypted working file."""
    with open_database(database, key=key) as con:
        return Verdict(dict(con.execute("select rule_id, status from rule_result").fetchall()), True)


@contextmanager
def light_audits() -> Iterator[None]:
    """Audits inside the block are judged by their findings, and their reports have neither charts nor explanations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expectations.judge.judge", judged_by_findings)
        patch.setattr("flows.publishing.report_facts.derive_many", lambda *_run: [])
        patch.setattr("expectations.report.charts.charts.chart_svgs", lambda _report: [])
        yield
