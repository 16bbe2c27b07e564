"""Dirty input: whatever happens to an extract, the run ends in findings or in one plain refusal, every row of
every file is accounted for, and patients whose rows came through whole keep exactly the findings they had.
"""

import copy
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dirty_files import HARMLESS_ROWS, ROW_DAMAGE, STYLES, TABLES, WHOLE_DAMAGE, Delivery
from tests.profiles import PROFILE
from transforms.accept.apply import apply_contract
from transforms.contract.cell_sql import BLANKS
from transforms.contract.fields import REASONS
from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.errors import AuditError
from transforms.extract import find_inputs, load_extracts
from transforms.models.run import Setting, judge_rows, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
AS_OF = date(2026, 11, 10)
#: Rules that look beyond one patient, and rules that look at the dates that both extracts cover.
ACROSS_PATIENTS = {"therapist_in_two_places", "provider_day_impossible"}
INSIDE_COVERED_DATES = {"billed_day_not_documented", "documented_day_not_billed"}
READ_PROBLEMS = {
    "cell_too_long",
    "control_character",
    "not_utf8",
    "repeated_header",
    "too_few_cells",
    "too_many_cells",
    "unbalanced_quote",
}
PICK = st.integers(0, 2**31)
TABLE = st.sampled_from(TABLES)


def examples(number: int):
    """So many examples, always the same ones, never shrunk: a failing one is small enough to read."""
    return settings(
        max_examples=number * PROFILE.damage,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Seen:
    """What an audit of a delivery came to."""

    findings: dict[str, dict]
    quarantine: list[dict]
    rules: list[dict]
    unjudged: set[tuple]
    coverage: tuple


@cache
def _samples() -> Delivery:
    return Delivery(SAMPLES, patients=13)


def samples() -> Delivery:
    """A third of the samples' patients, as they left the exporting system."""
    return copy.deepcopy(_samples())


@cache
def clean() -> Seen:
    """What the undamaged delivery comes to."""
    seen = audited(samples())
    assert len(seen.findings) > 15 and len({row["rule_id"] for row in seen.findings.values()}) > 8
    return seen


def audit(folder: Path) -> Seen:
    """Every stage up to the findings; every file's rows are held against its bytes on the way."""
    with open_database(threads=1) as con:
        load_reference(con, SAMPLES / "reference")
        load_crosswalk(con, None)
        load_extracts(con, find_inputs(folder), None)
        apply_contract(con, AS_OF)
        assert_all_accounted(con, folder)
        stage_rows(con, Setting(AS_OF))
        judge_rows(con, Setting(AS_OF))
        assert con.execute("select * from rule_error").fetchall() == []
        days = con.execute(
            "select p.patient_id, u.service_date from stg_unjudged_day u join stg_patient p using (patient_key)"
        )
        return Seen(
            findings={row["finding_id"]: row for row in rows_as_dicts(con, "select * from finding")},
            unjudged=set(days.fetchall()),
            quarantine=rows_as_dicts(con, "select * from quarantine"),
            rules=rows_as_dicts(con, "select * from rule_result order by rule_id"),
            coverage=con.execute("select first_date, last_date from stg_coverage").fetchone(),
        )


def assert_all_accounted(con, folder: Path) -> None:
    """Counts reconcile for every file, each row has one fate, and no line of the file is missing."""
    files = rows_as_dicts(con, "select * from input_file join load_count using (file_number)")
    assert len(files) == len(list(folder.iterdir()))
    for file in files:
        number, table = file["file_number"], file["table_name"]
        fates = con.execute(
            f"""select source_line from ok_{table} where file_number = {number}
            union all select source_line from quarantine where file_number = {number}
            union all select source_line from duplicate_row where file_number = {number} order by all"""
        ).fetchall()
        read = con.execute(f"select source_line from raw_{table} where file_number = {number} order by all").fetchall()
        assert fates == read
        kept = con.execute(f"select source_line from file_{number} order by all").fetchall()
        assert kept == read
        told = [file[f"rows_{fate}"] for fate in ("accepted", "quarantined", "duplicate")]
        assert file["rows_read"] == sum(told) == len(read)
        if file["format"] == "csv":
            assert_no_line_missing(con, number, folder / file["file_name"])


def assert_no_line_missing(con, number: int, path: Path) -> None:
    """Every line below the header that is not blank begins a record, or stands inside one."""
    content = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    lines = content.split("\n" if "\n" in content else "\r")
    filled = [place for place, line in enumerate(lines, 1) if line.strip(BLANKS)]
    records = con.execute(f"select * from file_{number} order by source_line").fetchall()
    inside = set()
    for start, _, _, unread, *cells in records:
        breaks = sum(cell.count("\n") for cell in (unread, *cells) if cell)
        inside |= set(range(start, start + breaks + 1))
    missing = [place for place in filled[1:] if place not in inside]
    assert not missing, f"lines {missing[:5]} of {path.name}"


def shown(finding: dict) -> dict:
    """A finding without its line numbers, which other rows may have moved."""
    return {name: value for name, value in finding.items() if name != "sources"}


def of_patients(seen: Seen, patients: set[str], without: set[str]) -> dict[str, dict]:
    return {
        finding_id: shown(row)
        for finding_id, row in seen.findings.items()
        if row["patient_id"] in patients and row["rule_id"] not in without
    }


def audited(delivery: Delivery) -> Seen:
    with TemporaryDirectory() as name:
        return audit(delivery.write(Path(name)))


def assert_reasons_are_known(seen: Seen) -> None:
    for row in seen.quarantine:
        assert row["reason"] in REASONS.keys() | READ_PROBLEMS, row["reason"]
        assert row["row_json"] and row["file_name"] and row["source_line"] > 1


@examples(12)
@given(
    styles=st.lists(st.tuples(st.sampled_from(STYLES), TABLE, PICK), max_size=5),
    rows=st.lists(st.tuples(st.sampled_from(HARMLESS_ROWS), TABLE, PICK, PICK), max_size=6),
)
def test_what_harms_no_row_changes_no_finding(styles, rows):
    delivery = samples()
    for harmless, table, which, place in rows:
        held = delivery.tables[table]
        harmless(held, held.rows[which % len(held.rows)], 0, 0, place)
    for style, table, pick in styles:
        style(delivery.tables[table], pick)
    assert delivery.touched_rows() == set()
    seen = audited(delivery)
    assert {key: shown(row) for key, row in seen.findings.items()} == {
        key: shown(row) for key, row in clean().findings.items()
    }
    assert seen.rules == clean().rules
    assert_reasons_are_known(seen)


@examples(22)
@given(
    damage=st.lists(st.tuples(st.sampled_from(ROW_DAMAGE), TABLE, PICK, PICK, PICK, PICK), min_size=1, max_size=8),
    styles=st.lists(st.tuples(st.sampled_from(STYLES), TABLE, PICK), max_size=2),
)
def test_damage_to_some_rows_harms_nobody_else(damage, styles):
    delivery = samples()
    for hurt, table, which, *picks in damage:
        held = delivery.tables[table]
        hurt(held, held.rows[which % len(held.rows)], *picks)
    for style, table, pick in styles:
        style(delivery.tables[table], pick)
    seen = audited(delivery)
    assert_reasons_are_known(seen)
    without = set(ACROSS_PATIENTS)
    if seen.coverage != clean().coverage:
        without |= INSIDE_COVERED_DATES
    everybody = {patient for patients in delivery.patient_of.values() for patient in patients}
    unharmed = everybody - delivery.touched_patients()
    assert of_patients(seen, unharmed, without) == of_patients(clean(), unharmed, without)
    assert_unjudged_where_quarantined(seen)
    unsure = set_aside_patients(delivery, seen)
    known = of_patients(clean(), unsure, without)
    assert of_patients(seen, unsure, without).keys() <= known.keys()


def assert_unjudged_where_quarantined(seen: Seen) -> None:
    """Nobody is accused on a date that a row in quarantine is known to touch."""
    touched = {
        (row["patient_id"], row["service_date"]) for row in seen.quarantine if row["patient_id"] and row["service_date"]
    }
    for finding in seen.findings.values():
        assert (finding["patient_id"], finding["service_date"]) not in touched | seen.unjudged


def set_aside_patients(delivery: Delivery, seen: Seen) -> set[str]:
    """Patients all of whose touched rows stand in quarantine with their patient and date, or note, still readable."""
    claims_and_notes = {
        (row["table_name"], row["patient_id"], row["service_date"].isoformat())
        for row in seen.quarantine
        if row["patient_id"] and row["service_date"]
    }
    of_notes = {row["note_id"] for row in seen.quarantine if row["table_name"] == "note_blocks"}
    sure, unsure = set(), set()
    for table, origin in delivery.touched_rows():
        was, patient = delivery.originals[table][origin], delivery.patient_of[table][origin]
        if table == "note_blocks":
            is_held = was["note_id"] in of_notes
        else:
            is_held = (table, patient, was["service_date"]) in claims_and_notes
        (sure if is_held and _was_quarantined(was, table, seen) else unsure).add(patient)
    return sure - unsure


def _was_quarantined(was: dict, table: str, seen: Seen) -> bool:
    """Whether a row in quarantine still holds the two keys that tell this row from its neighbours."""
    keys = {
        "claims": ("claim_id", "line_number"),
        "notes": ("note_id", "patient_id"),
        "note_blocks": ("note_id", "block_number"),
    }[table]
    return any(
        row["table_name"] == table and all(was[key] and f'"{was[key]}"' in row["row_json"] for key in keys)
        for row in seen.quarantine
    )


@examples(22)
@given(
    damage=st.lists(st.tuples(st.sampled_from(WHOLE_DAMAGE), TABLE, PICK), min_size=1, max_size=2),
    styles=st.lists(st.tuples(st.sampled_from(STYLES), TABLE, PICK), max_size=2),
)
def test_damage_to_whole_files_is_refused_or_accounted_for(damage, styles):
    delivery = samples()
    for style, table, pick in styles:
        style(delivery.tables[table], pick)
    for change, table, pick in damage:
        delivery.tables[table].whole.append(lambda content, change=change, pick=pick: change(content, pick))
    try:
        seen = audited(delivery)
    except AuditError as refusal:
        assert refusal.exit_code == 3
        assert re.fullmatch(r"(claims|notes|note_blocks)\.csv: [^\n]+", str(refusal)), refusal
        return
    assert_reasons_are_known(seen)
    assert_unjudged_where_quarantined(seen)
