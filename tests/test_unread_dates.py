"""Dates that the contract does not read: the run stops, and says in one line where and what to do about it."""

from pathlib import Path

import pytest

from tests.cli_runs import audit, day, published, write_days

pytestmark = pytest.mark.whole_audit

#: Two visits' dates as other programs write them.
WRITTEN = {
    "month first": ("03/01/2026", "03/02/2026", "%m/%d/%Y"),
    "day first": ("01.03.2026", "02.03.2026", "%d.%m.%Y"),
    "month by name": ("Mar 1, 2026", "Mar 2, 2026", "%b %d, %Y"),
    "no marks": ("20260301", "20260302", "%Y%m%d"),
}


@pytest.fixture(params=WRITTEN.values(), ids=WRITTEN)
def extracts(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Two honest visits whose dates are written in one of these ways, and that way."""
    *dates, form = request.param
    visits = [
        tuple(row | {"service_date": text} if "service_date" in row else row for row in day(number))
        for number, text in enumerate(dates, 1)
    ]
    return write_days(tmp_path / "extracts", *visits), form


def test_unread_dates_stop_the_run_and_name_the_way_out(extracts, tmp_path):
    folder, _ = extracts
    ran = audit(folder, tmp_path / "out")
    assert ran.code == 3, ran.err
    assert "date_formats" in ran.err
    assert "Traceback" not in ran.err
    assert published(tmp_path / "out") == ([], None)


def test_a_mapping_reads_them(extracts, tmp_path):
    folder, form = extracts
    mapping = tmp_path / "map.toml"
    column = f'service_date = {{ from = "service_date", date_formats = ["{form}"] }}\n'
    mapping.write_text(f"[claims.columns]\n{column}[notes.columns]\n{column}", encoding="utf-8")
    ran = audit(folder, tmp_path / "out", "--mapping", mapping)
    assert ran.code == 0, ran.err
    assert "Service dates 2026-03-01 to 2026-03-02" in ran.out
