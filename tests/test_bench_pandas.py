"""The pandas version that the audit is timed against is right: it finds the audit's minutes, units and splits."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from flows.bench.extracts import AS_OF, write_extracts
from flows.run.audit import run_audit
from flows.settings import AuditSettings
from tests.bench.pandas_units import DAY, recompute

SECONDS = ["credited", "supported"]
#: Column of the pandas version -> column of units.parquet.
SAME = {
    "credited": "credited_minutes",
    "billed_units": "billed_units",
    "supported": "day_supported_minutes",
    "cms_units": "day_units_cms",
    "ama_units": "day_units_ama",
    "expected_units": "expected_units",
    "is_decidable": "is_decidable",
    "counting_method": "counting_method",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of a published run of a made-up extract, which is all that the pandas version is timed on."""
    out, extracts = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("extracts")
    write_extracts(extracts, 2000, seed=5, form="parquet")
    settings = AuditSettings(
        out=out, as_of=date.fromisoformat(AS_OF), extracts=extracts, reference=extracts / "reference"
    )
    return run_audit(settings).folder


def test_every_timed_code_of_every_day_has_the_same_minutes_units_and_split(run):
    ours = pd.read_parquet(run / "units.parquet").query("is_timed")
    ours = ours.rename(columns={"procedure_code": "counted_code"}).set_index([*DAY, "counted_code"]).sort_index()
    theirs, _ = recompute(run)
    theirs = theirs.set_index([*DAY, "counted_code"]).sort_index()
    theirs[SECONDS] //= 60
    assert len(ours) > 100
    assert ours.index.equals(theirs.index)
    for mine, published in SAME.items():
        differs = ~((theirs[mine] == ours[published]) | (theirs[mine].isna() & ours[published].isna()))
        assert not differs.any(), (mine, ours[published][differs].head(), theirs[mine][differs].head())


def test_the_days_compared_hold_what_is_hard(run):
    """Minutes counted twice, ties and notes that state more than their blocks, without which nothing is shown."""
    ours = pd.read_parquet(run / "units.parquet")
    assert (ours.double_counted_minutes > 0).any() and ours.is_tie.any() and (~ours.is_decidable).any()
    assert (ours.day_supported_minutes > ours.day_sure_minutes).any()
