"""What stands in for the slow parts of an audit in tests that are not about them.

Great Expectations and the report's charts and explanations are most of a small audit, and change nothing in the
tables that it publishes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from expectations.judge import Verdict, judge
from expectations.report.charts.charts import chart_svgs
from flows.explanation.derive.many import derive_many
from transforms.database.duckdb_file import open_database


def judged_by_findings(database: Path, *_place, key=None, **_named) -> Verdict:
    """Great Expectations' verdicts as the findings give them, also of an encrypted working file."""
    with open_database(database, key=key) as con:
        return Verdict(dict(con.execute("select rule_id, status from rule_result").fetchall()), True)


def no_derivations(*_run) -> list:
    """Of no finding an explanation."""
    return []


def no_charts(_report) -> list:
    """A report without charts."""
    return []


PLACES = (
    "expectations.judge.judge",
    "flows.publishing.report_facts.derive_many",
    "expectations.report.charts.charts.chart_svgs",
)
LIGHT = (judged_by_findings, no_derivations, no_charts)
WHOLE = (judge, derive_many, chart_svgs)


@contextmanager
def audits(parts: tuple) -> Iterator[None]:
    """Audits inside the block run with these parts: LIGHT or WHOLE."""
    with pytest.MonkeyPatch.context() as patch:
        for place, part in zip(PLACES, parts, strict=True):
            patch.setattr(place, part)
        yield
