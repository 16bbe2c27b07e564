"""The contract stage as a whole: repeats, keys, blocks and their notes, quarantine, counts, any input."""

import csv
import datetime
import json
import re

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract_rows import AS_OF, BLOCK, CLAIM, NOTE, SOUND, audit_rows, make_raw_tables, rows_of
from transforms.accept import settle
from transforms.accept.apply import apply_contract
from transforms.contract import docs as contract_docs
from transforms.contract.fields import CONTRACT_FOLDER, REASONS, TABLES, contract_fields, key_fields
from transforms.errors import InputRejected
from transforms.models.run import Setting, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference


def counts(con):
    """rows read, accepted, quarantined, duplicate; one tuple a file."""
    return con.execute("SELECT * EXCLUDE (file_number) FROM load_count ORDER BY file_number").fetchall()


def reasons(con, table_name):
    """(file, line, reason) of the broken rows of a table."""
    return con.execute(
        "SELECT file_number, source_line, reason FROM quarantine WHERE table_name = ? ORDER BY ALL",
        [table_name],
    ).fetchall()


def accepted_lines(con, table_name):
    return con.execute(f"SELECT file_number, source_line FROM ok_{table_name} ORDER BY ALL").fetchall()


# ---- repeats and keys


def test_an_exact_repeat_is_counted_and_the_first_stays():
    con = audit_rows([("claims", [CLAIM, CLAIM]), ("claims", [CLAIM])])
    assert accepted_lines(con, "claims") == [(1, 2)]
    assert counts(con) == [(2, 1, 0, 1), (1, 0, 0, 1)]
    assert con.execute("SELECT * FROM duplicate_row ORDER BY ALL").fetchall() == [
        ("claims", 1, 3),
        ("claims", 2, 2),
    ]


def test_rows_are_compared_after_normalising():
    same = {
        **CLAIM, "procedure_code": "97112.0", "billed_units": " 2.0", "claim_type": "Professional",
        "payer_order": "1", "service_date": "2026-06-01 00:00:00", "charge_usd": "5.00", "modifiers": "59;gp",
    }  # fmt: skip
    con = audit_rows([("claims", [{**CLAIM, "charge_usd": "5", "procedure_code": "97112-GP-59"}, same])])
    assert counts(con) == [(2, 1, 0, 1)]


@pytest.mark.parametrize(
    ("column", "cell"),
    [("patient_id", "P2"), ("billed_units", "3"), ("clinic_id", "X"), ("paid_usd", "0"), ("modifiers", "GP")],
)
def test_rows_of_one_key_that_differ_are_all_set_aside(column, cell):
    con = audit_rows([("claims", [CLAIM, {**CLAIM, column: cell}, {**CLAIM, "line_number": "2"}])])
    assert reasons(con, "claims") == [(1, 2, "key_used_twice"), (1, 3, "key_used_twice")]
    assert accepted_lines(con, "claims") == [(1, 4)]


def test_repeats_are_taken_out_before_keys_are_judged():
    other = {**CLAIM, "billed_units": "3"}
    con = audit_rows([("claims", [CLAIM, CLAIM, other]), ("claims", [other])])
    assert reasons(con, "claims") == [(1, 2, "key_used_twice"), (1, 4, "key_used_twice")]
    assert counts(con) == [(3, 0, 2, 1), (1, 0, 0, 1)]


def test_a_broken_row_takes_no_neighbour_of_its_key_along():
    con = audit_rows([("claims", [CLAIM, {**CLAIM, "billed_units": "x"}, {**CLAIM, "billed_units": "x"}])])
    assert accepted_lines(con, "claims") == [(1, 2)]
    assert counts(con) == [(3, 1, 2, 0)]  # a broken row is never called a repeat


def test_pieces_of_one_source_row_are_rows_of_their_own():
    pieces = [
        {**CLAIM, "source_line": 2, "piece": 1},
        {**CLAIM, "source_line": 2, "piece": 2},
        {**CLAIM, "source_line": 2, "piece": 3, "line_number": "2"},
    ]
    con = audit_rows([("claims", pieces)])
    assert counts(con) == [(3, 2, 0, 1)]


def test_a_block_without_version_has_a_key_of_its_own():
    blocks = [BLOCK, {**BLOCK, "note_version": "1"}, {**BLOCK, "minutes": "5"}]
    con = audit_rows([("notes", [NOTE]), ("note_blocks", blocks)])
    assert reasons(con, "note_blocks") == [(2, 2, "key_used_twice"), (2, 4, "key_used_twice")]
    assert accepted_lines(con, "note_blocks") == [(2, 3)]


# ---- blocks and their notes


def note(version, **cells):
    return {**NOTE, "note_version": str(version), **cells}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([("1", "signed", "01")], "01"),
        ([("1", "signed", "01"), ("2", "amended", "02")], "02"),
        ([("1", "signed", "01"), ("2", "draft", "02")], "01"),
        ([("1", None, "01"), ("2", "draft", "02")], "01"),
        ([("1", "signed", "01"), ("2", "void", "02")], "02"),
        ([("1", "draft", "01"), ("2", "draft", "02")], "02"),
    ],
)
def test_a_block_without_version_lies_on_the_version_that_counts(versions, expected):
    notes = [note(v, status=status, service_date=f"2026-06-{day}") for v, status, day in versions]
    block = {**BLOCK, "started_at": f"2026-06-{expected}T09:00"}
    con = audit_rows([("notes", notes), ("note_blocks", [block])])
    assert con.execute("SELECT note_version, start_second FROM ok_note_blocks").fetchall() == [(None, 9 * 3600)]


def test_a_block_with_a_version_lies_on_that_version():
    notes = [note(1, service_date="2026-06-01"), note(2, service_date="2026-06-02")]
    blocks = [
        {**BLOCK, "note_version": "1", "started_at": "2026-06-01T09:00"},
        {**BLOCK, "note_version": "2", "started_at": "2026-06-01T09:00"},
        {**BLOCK, "note_version": "3"},
        {**BLOCK, "note_id": "N9"},
    ]
    con = audit_rows([("notes", notes), ("note_blocks", blocks)])
    assert accepted_lines(con, "note_blocks") == [(2, 2)]
    assert reasons(con, "note_blocks") == [
        (2, 3, "clock_off_service_date"), (2, 4, "block_without_note"), (2, 5, "block_without_note"),
    ]  # fmt: skip


def test_blocks_go_with_their_quarantined_note():
    notes = [note(1), note(2, service_date="x")]
    blocks = [
        BLOCK,
        {**BLOCK, "note_version": "1"},
        {**BLOCK, "note_version": "2"},
        {**BLOCK, "note_version": "3"},
    ]
    con = audit_rows([("notes", notes), ("note_blocks", blocks)])
    assert accepted_lines(con, "note_blocks") == [(2, 3)]  # its own version is sound
    assert {row[2] for row in reasons(con, "note_blocks")} == {"note_quarantined"}
    assert con.execute("SELECT DISTINCT column_name, note_id FROM quarantine WHERE file_number = 2").fetchall() == [
        ("note_id", "N1")
    ]


def test_blocks_go_with_a_note_whose_key_is_used_twice():
    con = audit_rows([("notes", [NOTE, {**NOTE, "patient_id": "P2"}]), ("note_blocks", [BLOCK])])
    assert reasons(con, "note_blocks") == [(2, 2, "note_quarantined")]


def test_a_repeated_note_leaves_its_blocks_alone():
    con = audit_rows([("notes", [NOTE, NOTE]), ("note_blocks", [BLOCK, {**BLOCK, "block_number": "2"}])])
    assert counts(con) == [(2, 1, 0, 1), (2, 2, 0, 0)]


def test_equal_times_written_in_two_ways_are_one_block():
    full = {**BLOCK, "started_at": "2026-06-01T09:00:00", "ended_at": "2026-06-01 09:20"}
    con = audit_rows(
        [("notes", [NOTE]), ("note_blocks", [{**BLOCK, "started_at": "09:00", "ended_at": "09:20"}, full])]
    )
    assert counts(con)[1] == (2, 1, 0, 1)


# ---- quarantine


def test_quarantine_keeps_the_keys_that_can_be_read():
    claims = [
        {**CLAIM, "billed_units": "x", "original_claim_id": "C0"},
        {**CLAIM, "billed_units": "x", "original_claim_id": "C0", "claim_frequency_code": "7"},
        {**CLAIM, "billed_units": "x", "original_claim_id": "C0", "claim_frequency_code": "?"},
        {**CLAIM, "service_date": "1901-01-01", "patient_id": "a\x01b"},
    ]
    con = audit_rows([("claims", claims), ("notes", [{**NOTE, "discipline": "x"}])])
    kept = "patient_id, service_date, claim_id, original_claim_id, note_id"
    day = datetime.date(2026, 6, 1)
    assert con.execute(f"SELECT {kept} FROM quarantine").fetchall() == [
        ("P1", day, "C1", None, None),
        ("P1", day, "C1", "C0", None),
        ("P1", day, "C1", "C0", None),
        (None, None, "C1", None, None),
        ("P1", day, None, None, "N1"),
    ]
    assert [column[0] for column in con.execute("FROM quarantine").description] == [
        "table_name", "file_number", "file_name", "source_line", "piece", "column_name", "reason", "row_json",
        "patient_id", "service_date", "service_date_to", "claim_id", "payer_claim_id", "original_claim_id", "note_id",
    ]  # fmt: skip


@pytest.mark.parametrize(("frequency", "named"), [("5", None), ("6", "C0"), ("7", "C0"), ("8", "C0"), ("9", None)])
def test_only_a_correction_names_another_claim(frequency, named):
    broken = {"claim_frequency_code": frequency, "original_claim_id": "C0", "billed_units": "x"}
    twice = {**broken, "billed_units": "1", "line_number": "2"}
    con = audit_rows([("claims", [{**CLAIM, **broken}, {**CLAIM, **twice}, {**CLAIM, **twice, "billed_units": "2"}])])
    assert con.execute("SELECT original_claim_id FROM quarantine").fetchall() == [(named,)] * 3


def test_quarantine_keeps_the_dates_of_a_span_and_the_payers_number():
    spanning = {**CLAIM, "service_date_to": "2026-06-03", "payer_claim_id": "ICN 7"}
    claims = [{**spanning, "billed_units": "x"}, {**spanning, "service_date_to": "2026-05-31"}, spanning]
    con = audit_rows([("claims", [*claims, {**spanning, "billed_units": "3"}])])
    first, last = datetime.date(2026, 6, 1), datetime.date(2026, 6, 3)
    assert con.execute("SELECT reason, service_date, service_date_to, payer_claim_id FROM quarantine").fetchall() == [
        ("unreadable_number", first, last, "ICN 7"),
        ("end_before_start", first, None, "ICN 7"),
        ("key_used_twice", first, last, "ICN 7"),
        ("key_used_twice", first, last, "ICN 7"),
    ]


def test_quarantine_holds_the_row_as_the_file_has_it():
    text = 'say "hi"\\\n\x00\u2028é🙂</script>'
    row = {**CLAIM, "billed_units": " x ", "diagnosis_codes": text}
    unread = {"read_problem": "wrong_column_count", "unread_text": text, "source_line": 9}
    con = audit_rows([("claims", [row, unread])])
    first, second = rows_of(con, "SELECT * FROM quarantine")
    own = [field.field for field in contract_fields("claims")]
    assert json.loads(first["row_json"]) == {column: row.get(column) for column in own}
    assert list(json.loads(first["row_json"])) == own
    assert (first["file_name"], first["source_line"], first["piece"]) == ("claims_1.csv", 2, 0)
    assert json.loads(second["row_json"]) == {"unread_text": text}
    assert (second["source_line"], second["reason"]) == (9, "wrong_column_count")


def test_a_files_own_column_names_may_be_anything():
    con = audit_rows([])
    con.execute("INSERT INTO input_file VALUES (7, 'claims', 'odd.csv', '', '', 'csv')")
    con.execute("INSERT INTO raw_claims (file_number, source_line, piece) VALUES (7, 2, 0)")
    con.execute(
        "CREATE VIEW file_7 AS SELECT 2::BIGINT AS source_line, NULL::VARCHAR AS read_problem,"
        """ NULL::VARCHAR AS problem_column, NULL::VARCHAR AS unread_text,"""
        ''' 'a' AS "it's ""x""", 'b' AS "Größe" '''
    )
    apply_contract(con, AS_OF)
    assert con.execute("SELECT row_json FROM quarantine").fetchone()[0] == '{"it\'s \\"x\\"":"a","Größe":"b"}'


@pytest.mark.parametrize(
    ("ended", "fate"),
    [
        (("09:30", "09:30:00"), ["block_without_note"]),
        (("09:30", "09:45"), ["key_used_twice", "key_used_twice"]),
        (("09:30", None), ["key_used_twice", "key_used_twice"]),
    ],
)
def test_blocks_that_wait_for_their_note_contradict_each_other_by_their_bare_times(ended, fate):
    """Without a note a bare time has no date, and is still a time: blocks that differ in it are no repeats."""
    waiting = [{**BLOCK, "started_at": "09:00", "ended_at": end} for end in ended]
    con = audit_rows([("note_blocks", waiting)])
    assert [reason for *_, reason in reasons(con, "note_blocks")] == fate
    assert counts(con) == [(2, 0, len(fate), 2 - len(fate))]


@pytest.mark.parametrize(("files", "condition"), [(2, "l IN (5, 6)"), (3, "l IN (SELECT source_line FROM few)")])
def test_lines_are_listed_as_long_as_all_files_can_hold_the_list(monkeypatch, files, condition):
    monkeypatch.setattr(settle, "MOST_LISTED", 5)
    con = duckdb.connect()
    con.execute("CREATE TABLE few AS SELECT unnest([5, 6, 5]) AS source_line")
    assert settle.on_lines(con, "l", "few", files).replace("6, 5", "5, 6") == condition


# ---- counts


def test_every_file_is_counted_even_an_empty_one():
    con = audit_rows([("claims", []), ("notes", [NOTE]), ("claims", [CLAIM])])
    assert counts(con) == [(0, 0, 0, 0), (1, 1, 0, 0), (1, 1, 0, 0)]


def test_counts_that_do_not_reconcile_stop_the_run(monkeypatch):
    monkeypatch.setattr(settle, "_set_aside", lambda con, table_name: None)
    with pytest.raises(InputRejected, match=r"claims_1\.csv: 2 rows read, but 1 accepted") as caught:
        audit_rows([("claims", [CLAIM, {**CLAIM, "billed_units": "SECRET"}])])
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_stage_can_be_run_again():
    con = audit_rows([("claims", [CLAIM, CLAIM, {**CLAIM, "line_number": "x"}])])
    before = counts(con)
    apply_contract(con, AS_OF)
    assert counts(con) == before == [(3, 1, 1, 1)]
    left = con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert left == []


def test_the_last_possible_as_of_date_is_accepted():
    con = audit_rows([("claims", [CLAIM])], as_of=datetime.date.max)
    assert counts(con) == [(1, 1, 0, 0)]


# ---- any input at all

GARBAGE = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "", " ", "NaN", "inf", "-inf", "1e400", "1e-400", "9" * 50, "-1", "2.5", "٣", "٢٠٢٦-٠٦-٠١",
            "99999-12-31", "2026-06-01", "2026-06-01T09:00", "0000-00-00", "infinity", "epoch", "09:00",
            "24:00", "23:59:60", "x" * 300, "97112-GP", "97112.0", "GP;59", "7", "8", "MJ", "draft",
            "void", "true", "\x00", "'", '"', "\\", "{}",
            "%s", "$1", "=1+1", "NULL", "1,5", "\u00a0", "2026-06-01 23:59:59.999999999", "294247-01-10",
            "290309-12-22 (BC)",
            "C1", "N1", "P1", "1", "2",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
)  # fmt: skip


def any_row(table_name):
    """A sound row of the table with some cells overwritten by anything."""
    columns = [field.field for field in contract_fields(table_name)]
    return st.dictionaries(st.sampled_from(columns), GARBAGE, max_size=6).map(
        lambda cells: {**SOUND[table_name], **cells}
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    claims=st.lists(any_row("claims"), max_size=10),
    notes=st.lists(any_row("notes"), max_size=6),
    blocks=st.lists(any_row("note_blocks"), max_size=10),
)
def test_any_cells_reconcile_and_harm_no_good_row(claims, notes, blocks):
    good = [
        ("claims", {**CLAIM, "claim_id": "good claim", "line_number": "77"}),
        ("notes", {**NOTE, "note_id": "good note"}),
        ("note_blocks", {**BLOCK, "note_id": "good note", "started_at": "09:00", "ended_at": "09:24"}),
    ]
    files = [("claims", claims), ("notes", notes), ("note_blocks", blocks)]
    con = audit_rows([*files, *((table_name, [row]) for table_name, row in good)])
    for table_name, found in zip(TABLES, ((4, 2), (5, 2), (6, 2)), strict=True):
        assert found in accepted_lines(con, table_name)
        keys = ", ".join(key_fields(table_name))
        twice = f"SELECT 1 FROM ok_{table_name} GROUP BY {keys} HAVING count(*) > 1"
        assert con.execute(twice).fetchall() == []
    for read, accepted, quarantined, duplicate in counts(con):
        assert read == accepted + quarantined + duplicate
    for reason, column, row_json in con.execute("SELECT reason, column_name, row_json FROM quarantine").fetchall():
        assert reason in REASONS
        assert column
        json.loads(row_json)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(any_row("claims"), max_size=12), order=st.randoms())
def test_the_outcome_is_the_same_on_any_number_of_threads_and_in_any_order_of_reading(rows, order):
    placed = [{**row, "source_line": line} for line, row in enumerate(rows, 2)]
    shuffled = list(placed)
    order.shuffle(shuffled)
    outcomes = []
    for threads, given_rows in ((1, placed), (4, shuffled)):
        con = audit_rows([("claims", given_rows)], threads=threads)
        tables = ("ok_claims", "quarantine", "duplicate_row", "load_count")
        outcomes.append([con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables])
    assert outcomes[0] == outcomes[1]


def test_many_rows_on_several_threads_keep_the_first_of_each_repeat():
    seen = []
    for threads in (1, 4):
        con = duckdb.connect(config={"threads": threads})
        make_raw_tables(con, [("claims", [CLAIM])])
        con.execute(
            "INSERT INTO raw_claims SELECT raw_claims.* REPLACE (i + 3 AS source_line,"
            " (i % 70000)::VARCHAR AS line_number,"
            " CASE WHEN i % 70000 < 5 THEN i::VARCHAR ELSE patient_id END AS patient_id)"
            " FROM raw_claims CROSS JOIN range(200000) AS many (i)"
        )
        apply_contract(con, AS_OF)
        assert counts(con)[0][0] == 200001
        seen.append(con.execute("SELECT line_number, source_line FROM ok_claims ORDER BY ALL").fetchall())
        con.close()
    assert seen[0] == seen[1]
    assert (69999, 70002) in seen[0]


# ---- the contract as data


def test_the_contract_says_what_the_interface_says():
    required = {
        "claims": "claim_id line_number patient_id payer_id service_date procedure_code billed_units",
        "notes": "note_id patient_id service_date provider_id discipline",
        "note_blocks": "note_id block_number procedure_code",
    }
    keys = {
        "claims": ("claim_id", "line_number"),
        "notes": ("note_id", "note_version"),
        "note_blocks": ("note_id", "block_number", "note_version"),
    }
    assert [len(contract_fields(table_name)) for table_name in TABLES] == [26, 15, 12]
    for table_name in TABLES:
        fields = contract_fields(table_name)
        assert [field.field for field in fields if field.is_required] == required[table_name].split()
        assert key_fields(table_name) == keys[table_name]
        for field in fields:
            assert re.fullmatch("[a-z_]+", field.field)
            assert field.description
            assert not field.default or not field.allowed or field.default in field.allowed


def test_an_unknown_type_in_a_contract_is_refused(tmp_path, monkeypatch):
    from transforms.contract import fields as module

    with (CONTRACT_FOLDER / "claims.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    rows[1][1] = "colour"
    with (tmp_path / "odd.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    monkeypatch.setattr(module, "CONTRACT_FOLDER", tmp_path)
    with pytest.raises(KeyError, match="claim_id"):
        contract_fields("odd")


def test_accepted_tables_have_the_types_of_the_contract():
    con = audit_rows([])
    for table_name in TABLES:
        described = con.execute(f"DESCRIBE ok_{table_name}").fetchall()
        wanted = [(field.field, field.duckdb_type) for field in contract_fields(table_name)]
        assert [(row[0], row[1]) for row in described][: len(wanted)] == wanted
        more = {"claims": [], "notes": ["has_minutes_in_prose"]}.get(
            table_name,
            [
                "service_date",
                "start_second",
                "end_second",
                "started_cell",
                "ended_cell",
                "has_minutes_in_prose",
            ],
        )
        assert [row[0] for row in described][len(wanted) :] == [*more, "file_number", "source_line", "piece"]


def test_the_committed_page_is_the_generated_one():
    assert contract_docs.PAGE.read_text(encoding="utf-8") == contract_docs.contract_page()


@pytest.mark.parametrize(("place", "is_refused"), [({"piece": 999}, False), ({"piece": 1000}, True)])
def test_a_place_that_keys_have_no_room_for_stops_the_run(place, is_refused):
    row = {"note_id": "N1", "patient_id": "P1", "service_date": "2026-01-05", "provider_id": "T1", "discipline": "PT"}
    if is_refused:
        with pytest.raises(InputRejected, match="split the file"):
            audit_rows([("notes", [row | place])])
        return
    con = audit_rows([("notes", [row | place])])
    load_reference(con)
    load_crosswalk(con, None)
    stage_rows(con, Setting(AS_OF))
    assert con.execute("SELECT count(DISTINCT note_key) FROM stg_note").fetchone() == (1,)
