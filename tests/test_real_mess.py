"""What real exports hold, and what is said of it: each cell or file with the words that a biller reads."""

import pytest

from tests.cli_runs import audit, day, minutewise, refused, write_days


def extracts(folder, table: str, change) -> None:
    """Three honest days, with one file changed on its way."""
    write_days(folder, day(1), day(2), day(3))
    path = folder / f"{table}.csv"
    path.write_bytes(change(path.read_text()))


#: A file, a cell of it, what stands there instead; and the column, the reason and the advice that are shown.
CELLS = [
    ("claims", "2026-03-02", "03/02/26", "service_date", "unreadable_date", '"%m/%d/%y"'),
    ("claims", "2026-03-02", "03/02/2026", "service_date", "unreadable_date", '"%m/%d/%Y"'),
    ("claims", ",P2,", ",,", "patient_id", "missing_value", "Fill the cell in where the row was entered"),
    ("claims", ",P2,", ",2.0261E+15,", "patient_id", "rounded_id", "Export the column as text"),
    ("claims", ",P2,", ",M\udcfcller,", "patient_id", "not_utf8", 'encoding = "cp1252"'),
    ("note_blocks", "N2,1,97110,", "N2,1,therapeutic exercise,", "procedure_code", "unreadable_code", "(values)"),
    ("note_blocks", "N2,1,97110,,30", "N2,1,97110,,30 min", "minutes", "unreadable_number", "Write digits only"),
    ("note_blocks", "N2,1,97110,,30,,", "N2,1,97110,,30,8:00,", "started_at", "unreadable_time", '["%H:%M"] for 8:00'),
    ("note_blocks", "N2,1,97110,,30,,", "N2,1,97110,,30,8:00 AM,", "started_at", "unreadable_time", '["%I:%M %p"]'),
    ("note_blocks", "N2,1,97110,,30,,", "N2,1,97110,,30,1:05 pm,", "started_at", "unreadable_time", '["%I:%M %p"]'),
]


@pytest.mark.parametrize(("table", "cell", "held", "column", "reason", "advice"), CELLS, ids=[c[2] for c in CELLS])
def test_a_cell_that_costs_its_row_is_shown_with_what_to_do(tmp_path, table, cell, held, column, reason, advice):
    def change(content):
        assert cell in content
        return content.replace(cell, held, 1).encode("utf-8", "surrogateescape")

    extracts(tmp_path / "e", table, change)
    ran = audit(tmp_path / "e", tmp_path / "out", "--allow-low-match")
    assert ran.code == 0, ran.err
    told = minutewise("quarantine", tmp_path / "out").out
    said = " ".join(told.split())
    assert f"{table}.csv 3 {column} {reason}" in said and advice in said, told


@pytest.mark.parametrize(
    ("cell", "held"), [("60.00", '"$1,240.00"'), ("60.00", "(5.00)"), ("97110", "97110-GP"), ("97110", "97110.0")]
)
def test_what_is_plain_to_a_person_is_read(tmp_path, cell, held):
    extracts(tmp_path / "e", "claims", lambda content: content.replace(cell, held).encode())
    ran = audit(tmp_path / "e", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "0 rows set aside" in minutewise("quarantine", tmp_path / "out").out


FILES = [
    ("semicolons", lambda text: text.replace(",", ";").encode(), ["semicolon-separated", "say delimiter = ';'"]),
    ("title", lambda text: b"Billing\n" + text.encode(), ["line 1: is a title", "to be line 2"]),
    ("title and semicolons", lambda text: b"Billing;;;\n" + text.replace(",", ";").encode(), ["delimiter = ';'"]),
    ("wide title", lambda text: b"Billing,,,,\n\n" + text.encode(), ["line 1: is a title", "to be line 3"]),
    ("cp1252 header", lambda text: text.encode().replace(b"allowed", b"\x80"), ["line 1: ", 'encoding = "cp1252"']),
    ("no header", lambda text: text.split("\n", 1)[1].encode(), ["its first line looks like data"]),
    ("workbook", lambda text: b"PK\x03\x04" + text.encode(), ["save it as CSV UTF-8"]),
    ("empty", lambda text: b"", ["is empty"]),
]


@pytest.mark.parametrize(("change", "said"), [file[1:] for file in FILES], ids=[file[0] for file in FILES])
def test_a_file_that_is_no_table_says_what_to_do_in_one_line(tmp_path, change, said):
    extracts(tmp_path / "e", "claims", change)
    ran = audit(tmp_path / "e", tmp_path / "out")
    refused(ran, 3, "claims.csv: ", *said, out=tmp_path / "out")


MAPPED = [
    # a title above the header, once the separator is known
    ('[claims]\ndelimiter = ";"\n', lambda text: "Billing;;;\n" + text.replace(",", ";"), 3, "line 1: is a title"),
    ('[claims]\nencoding = "cp1252"\n', lambda text: text.replace(",", ";"), 3, "say delimiter = ';'"),
    # a date format beside the columns instead of with one
    (
        '[claims]\ndate_formats = ["%m/%d/%y"]\n',
        lambda text: text,
        2,
        "claims.date_formats: belongs with the column that it is for: [claims.columns], then COLUMN = {",
    ),
]


@pytest.mark.parametrize(("mapping", "change", "code", "said"), MAPPED)
def test_a_first_mapping_that_misses_is_told_the_next_step(tmp_path, mapping, change, code, said):
    extracts(tmp_path / "e", "claims", lambda content: change(content).encode())
    (tmp_path / "m.toml").write_text(mapping)
    refused(audit(tmp_path / "e", tmp_path / "out", "--mapping", tmp_path / "m.toml"), code, said, out=tmp_path / "out")
