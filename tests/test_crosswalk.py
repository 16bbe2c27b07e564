"""Crosswalk files: one id becomes one other, and every mistake is named with its file and line."""

import pytest

from transforms.database.duckdb_file import open_database
from transforms.errors import UsageProblem
from transforms.reference.crosswalk import load_crosswalk

TABLES = ("patient", "provider", "payer")


def rows(connection, subject: str) -> list[tuple]:
    return connection.execute(f"SELECT from_id, to_id FROM crosswalk_{subject} ORDER BY from_id").fetchall()


def test_no_folder_makes_empty_tables():
    connection = open_database()
    load_crosswalk(connection, None)
    assert [rows(connection, subject) for subject in TABLES] == [[], [], []]


def test_the_notes_ids_become_the_claims_and_the_claims_payer_the_references(tmp_path):
    (tmp_path / "patient.csv").write_text("Claims_ID,notes_id\nP1,n1\n P1 ,n2\nP1,n1\n\n", encoding="utf-8-sig")
    (tmp_path / "provider.csv").write_text('notes_id,claims_id\n"n,1",T1\nnü,T1\n')
    (tmp_path / "payer.csv").write_text("claims_id,reference_id\r\nmedicare,MEDICARE\r\n")
    connection = open_database()
    load_crosswalk(connection, tmp_path)
    assert rows(connection, "patient") == [("n1", "P1"), ("n2", "P1")]
    assert rows(connection, "provider") == [("n,1", "T1"), ("nü", "T1")]
    assert rows(connection, "payer") == [("medicare", "MEDICARE")]
    load_crosswalk(connection, None)
    assert rows(connection, "patient") == []


def test_ids_are_taken_in_the_form_that_extracts_are_compared_by(tmp_path):
    (tmp_path / "patient.csv").write_text("notes_id,claims_id\nMu\u0308ller,M\u00fcller-1\n", encoding="utf-8")
    connection = open_database()
    load_crosswalk(connection, tmp_path)
    assert rows(connection, "patient") == [("M\u00fcller", "M\u00fcller-1")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("patient.csv", "claims_id,notes_id\nP1,n1\nP2,n1\n", "line 3: the notes_id of line 2 again"),
        ("payer.csv", "claims_id,reference_id\nA,B\n\nA,C\n", "line 4: the claims_id of line 2 again"),
        ("patient.csv", "claims_id,notes_id\nP1,\n", "line 2: notes_id is blank"),
        ("patient.csv", "claims_id,notes_id\n \u00a0,n1\n", "line 2: claims_id is blank"),
        ("patient.csv", "claims_id,notes_id\nP1\n", "line 2: has 1 cells, the header 2"),
        ("patient.csv", "claims_id,notes_id\nP1,n1,x\n", "line 2: has 3 cells"),
        ("patient.csv", 'claims_id,notes_id\n"P1,n1\nP2,n2\n', "line 2: "),
        ("patient.csv", 'claims_id,notes_id\n"P\n1",n1\n', "line 2: a cell holds a line break"),
        ("patient.csv", "claims_id,notes_id\nP\0,n1\n", "line 2: "),
        ("patient.csv", "claims_id,reference_id\n", "line 1: its columns must be claims_id and notes_id"),
        ("patient.csv", "claims_id,notes_id,name\n", "line 1: its columns must be"),
        ("payer.csv", "claims_id;reference_id\n", "line 1: its columns must be"),
        ("provider.csv", "", "is empty"),
        ("patients.csv", "claims_id,notes_id\n", "not a crosswalk file"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageProblem) as caught:
        load_crosswalk(open_database(), tmp_path)
    assert f"{name}: {said}" in str(caught.value) and "\n" not in str(caught.value)
    assert "P1" not in str(caught.value) and "n1" not in str(caught.value)


def test_a_wrong_folder(tmp_path):
    for folder, said in ((tmp_path / "none", "no such folder"), (tmp_path, "holds none of")):
        with pytest.raises(UsageProblem, match=said):
            load_crosswalk(open_database(), folder)
    (tmp_path / "patient.csv").write_bytes(b"claims_id,notes_id\nP\xff,n1\n")
    with pytest.raises(UsageProblem, match="not UTF-8"):
        load_crosswalk(open_database(), tmp_path)
    with pytest.raises(UsageProblem, match="is not a folder"):
        load_crosswalk(open_database(), tmp_path / "patient.csv")
