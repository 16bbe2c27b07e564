"""What a mapping filled in and left out is told wherever a run is told, by count: never a value of an extract."""

import hashlib
import json

import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.cli_runs import audit, day, minutewise, published, write, write_days

#: Constants for three columns, one of them an id; two filters, the second of which would leave out a row of the first.
MAPPING = """
[claims.columns]
claim_type = { constant = "professional" }
clinic_id = { constant = "CLINIC-7" }
discipline = { constant = "" }

[[claims.where]]
column = "claim_id"
matches_not = '^C[45]$'

[[claims.where]]
column = "patient_id"
is_not = ["P5", "P6"]
"""
INFERRED = {
    ("claims.claim_type", 'the constant "professional"'),
    ("claims.clinic_id", "a constant of the mapping"),
    ("claims.discipline", "the mapping, which leaves it empty"),
}
FIRST, SECOND = (
    "claims.where[1]: column claim_id, test matches_not",
    "claims.where[2]: column patient_id, test is_not",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six visits, one of them with a unit too many; a test's packet is of its finding. The filters leave out three."""
    place = tmp_path_factory.mktemp("told")
    extracts = write_days(place / "extracts", day(1, claims_units=3), *(day(number) for number in range(2, 7)))
    mapping = write(place / "map.toml", MAPPING)
    ran = audit(extracts, place / "out", "--mapping", mapping, "--allow-low-match")
    assert ran.code == 0, ran.err
    write(place / "told.txt", ran.out)
    return place


@pytest.fixture(scope="module")
def run(folder):
    """The run's folder."""
    (run_id,), _ = published(folder / "out")
    return folder / "out" / "runs" / run_id


def test_the_terminal_names_each_column_and_each_filter(folder):
    lines = (folder / "told.txt").read_text(encoding="utf-8").splitlines()
    for column, taken_from in INFERRED:
        assert f"Inferred: {column} from {taken_from}: 3 rows of claims.csv" in lines
    assert f"Filtered: left out by {FIRST}: 2 rows of claims.csv" in lines
    assert f"Filtered: left out by {SECOND}: 1 row of claims.csv" in lines, "a row counts under its first filter"


def test_the_manifest_binds_the_mapping_and_the_run_holds_a_copy(run):
    manifest = json.loads((run / "manifest.json").read_bytes())
    assert manifest["mapping"] == {"file": "map.toml", "sha256": hashlib.sha256(MAPPING.encode()).hexdigest()}
    assert (run / "mapping.toml").read_text(encoding="utf-8") == MAPPING
    assert manifest["files"]["mapping.toml"] == manifest["mapping"]["sha256"]
    assert [(one["filter"], one["rows"]) for one in manifest["filtered"]] == [(FIRST, 2), (SECOND, 1)]


def test_the_summary_for_dashboards_holds_them_without_ids_and_the_extracts_names(run):
    text = (run / "summary.json").read_text(encoding="utf-8")
    summary = json.loads(text)
    assert {(one["column"], one["kind"], one["value"], one["rows"]) for one in summary["inferred"]} == {
        ("claim_type", "constant", "professional", 3),
        ("clinic_id", "constant", None, 3),
        ("discipline", "constant", "", 3),
    }
    assert summary["filtered"] == [
        {"table": "claims", "filter": "claims.where[1]", "rows": 2},
        {"table": "claims", "filter": "claims.where[2]", "rows": 1},
    ]
    assert summary["mapping_sha256"] == hashlib.sha256(MAPPING.encode()).hexdigest()
    assert "claims.csv" not in text


def test_the_page_and_the_list_of_rows_set_aside(folder, run):
    page = (run / "report.html").read_text(encoding="utf-8").replace("&#34;", '"')
    listed = minutewise("quarantine", folder / "out").out
    for words in (FIRST, SECOND):
        assert words in page and words in listed
    for _, taken_from in INFERRED:
        assert f"<td>{taken_from}</td>" in page


def test_the_workbook(run):
    book = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)
    summary = {row[0]: row[1:3] for row in book["Summary"].values}
    for column, taken_from in INFERRED:
        assert summary[f"inferred: {column}"] == (3, f"from {taken_from}")
    header, *rows = book["Set aside"].values
    told = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["reason"], row["why"], row["rows"]) for row in told] == [
        ("filtered", FIRST, 2),
        ("filtered", SECOND, 1),
    ]


def test_the_packet(folder, run, tmp_path):
    finding = pq.read_table(run / "findings.parquet")["finding_id"][0].as_py()
    ran = minutewise("evidence", folder / "out", finding, "--to", tmp_path)
    assert ran.code == 0, ran.err
    page = next(tmp_path.glob("*.html")).read_text(encoding="utf-8").replace("&#34;", '"')
    for words in (f"Filtered: left out by {FIRST}", 'Inferred: claims.claim_type from the constant "professional"'):
        assert words in page


def test_no_value_of_a_filter_and_no_constant_id_is_told(folder, run):
    told = [(folder / "told.txt").read_text(encoding="utf-8"), (run / "summary.json").read_text(encoding="utf-8")]
    told.append((run / "manifest.json").read_text(encoding="utf-8"))
    assert not [value for value in ("P5", "P6", "CLINIC-7") for text in told if value in text]


def test_without_a_mapping_nothing_is_said_of_one(tmp_path, monkeypatch):
    ran = audit(write_days(tmp_path / "extracts", day(1)), tmp_path / "out")
    assert "Inferred" not in ran.out and "Filtered" not in ran.out
    (run_id,), _ = published(tmp_path / "out")
    run = tmp_path / "out" / "runs" / run_id
    assert json.loads((run / "manifest.json").read_bytes())["mapping"] is None
    assert not (run / "mapping.toml").exists()
