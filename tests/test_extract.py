"""Extracts are read exactly: every record once, bad ones marked, their neighbours unharmed, nothing else
raised."""

import csv
import datetime
import decimal
import os
import random
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from transforms.accept.apply import apply_contract
from transforms.contract.fields import contract_fields
from transforms.database.duckdb_file import open_database
from transforms.errors import AuditError, InputRejected, UsageProblem
from transforms.extract import find_inputs, load_extracts, load_mapping
from transforms.extract.csv import lines as csv_lines
from transforms.extract.csv import reader as csv_reader

CLAIM = (
    "claim_id",
    "line_number",
    "patient_id",
    "payer_id",
    "service_date",
    "procedure_code",
    "billed_units",
)
GOOD = ("C1", "1", "P1", "MEDICARE", "2026-01-05", "97110", "2")
NOTE = ("note_id", "patient_id", "service_date", "provider_id", "discipline", "narrative")


def line(*cells: str) -> str:
    return ",".join(cells) + "\n"


def claims_text(*rows: str) -> str:
    return line(*CLAIM) + "".join(rows)


def load(folder: Path, mapping=None, connection=None, **explicit):
    """Loads a folder, giving its connection: a new one, or the one given."""
    connection = connection or open_database()
    load_extracts(connection, find_inputs(folder, explicit, mapping), mapping)
    return connection


def accepted(connection, table: str, columns: str) -> list[tuple]:
    """These columns of the rows that the contract accepts, in the file's order."""
    apply_contract(connection, datetime.date(2026, 11, 10))
    return connection.execute(f"SELECT {columns} FROM ok_{table} ORDER BY source_line").fetchall()


def load_claims(folder: Path, content: str | bytes, name: str = "claims.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(folder)


def problems(connection, table: str = "claims") -> list[tuple]:
    return connection.execute(
        f"SELECT source_line, read_problem, problem_column FROM raw_{table} ORDER BY file_number, source_line, piece"
    ).fetchall()


@contextmanager
def plain_lines_taken_from(size: int):
    """Runs of plain lines of this many bytes are read at once: 0 tries the fast way on every line."""
    usual, csv_lines.SMALLEST_PLAIN_BYTES = csv_lines.SMALLEST_PLAIN_BYTES, size
    try:
        yield
    finally:
        csv_lines.SMALLEST_PLAIN_BYTES = usual


def rejected(folder: Path, content: str | bytes, *said: str) -> None:
    with pytest.raises(InputRejected) as caught:
        load_claims(folder, content)
    message = str(caught.value)
    assert message.startswith("claims.csv: ") and "\n" not in message
    for part in said:
        assert part in message


class TestWhichFiles:
    def test_the_first_part_of_a_name_is_its_table(self, tmp_path):
        for name in (
            "claims_02.csv",
            "claims_01.CSV",
            "notes.csv",
            "note_blocks-a.csv",
            "other.csv",
            ".claims.csv",
        ):
            (tmp_path / name).write_text("x\n")
        found = find_inputs(tmp_path, {}, None)
        assert [(one.file_number, one.table_name, one.file_name) for one in found] == [
            (1, "claims", "claims_01.CSV"),
            (2, "claims", "claims_02.csv"),
            (3, "notes", "notes.csv"),
            (4, "note_blocks", "note_blocks-a.csv"),
        ]

    def test_a_table_without_files_is_empty(self, tmp_path):
        connection = load_claims(tmp_path, claims_text(line(*GOOD)))
        assert connection.execute("SELECT count(*) FROM raw_notes").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM raw_note_blocks").fetchone() == (0,)

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda folder: folder / "none", "no such folder"),
            (lambda folder: folder, "it is empty"),
            (lambda folder: touch(folder / "x.csv").parent, "it holds x.csv"),
            (lambda folder: touch(folder / "x.csv"), "is a file"),
            (lambda folder: touch(folder / "claims.csv.gz").parent, "unpack"),
            (lambda folder: touch(folder / "claims.xlsx").parent, "save it as .csv"),
            (lambda folder: touch(folder / "claims.parquet" / "part-0.parquet").parent.parent, "is a folder"),
        ],
    )
    def test_a_wrong_folder_is_named(self, tmp_path, make, said):
        with pytest.raises(UsageProblem, match=said):
            find_inputs(make(tmp_path), {}, None)

    def test_a_packed_copy_beside_the_file_itself_is_passed_over(self, tmp_path):
        touch(tmp_path / "claims.csv")
        touch(tmp_path / "claims.xlsx")
        assert len(find_inputs(tmp_path, {}, None)) == 1

    def test_a_missing_packed_part_is_not_passed_over(self, tmp_path):
        touch(tmp_path / "claims_1.csv")
        touch(tmp_path / "claims_2.csv.gz")
        with pytest.raises(UsageProblem, match=r"claims_2\.csv\.gz"):
            find_inputs(tmp_path, {}, None)

    def test_explicit_paths_and_globs_take_the_place_of_the_folders(self, tmp_path):
        for name in ("e/claims.csv", "e/notes.csv", "b/2/lines.csv", "b/1/lines.csv", "b/lines.dat"):
            touch(tmp_path / name)
        one = find_inputs(tmp_path / "e", {"claims": str(tmp_path / "b" / "*" / "lines.csv")}, None)
        assert [found.file_name for found in one] == ["1/lines.csv", "2/lines.csv", "notes.csv"]
        assert [found.file_name for found in find_inputs(None, {"claims": str(tmp_path / "b/lines.dat")}, None)] == [
            "lines.dat"
        ]

    @pytest.mark.parametrize("pattern", ["", "  ", "nothing.csv", "nothing*.csv", "."])
    def test_an_explicit_path_that_names_nothing(self, tmp_path, pattern):
        with pytest.raises(UsageProblem, match="--claims"):
            find_inputs(tmp_path, {"claims": pattern}, None)

    def test_no_folder_and_no_claims(self):
        with pytest.raises(UsageProblem, match="--extracts"):
            find_inputs(None, {"claims": None}, None)

    def test_a_link_within_the_folder_is_followed_and_a_dead_one_named(self, tmp_path):
        touch(tmp_path / "delivery.csv").write_text(claims_text(line(*GOOD)))
        (tmp_path / "claims.csv").symlink_to("delivery.csv")
        assert load(tmp_path).execute("SELECT count(*) FROM raw_claims").fetchone() == (1,)
        (tmp_path / "claims2.csv").symlink_to("gone.csv")
        with pytest.raises(UsageProblem, match="a link to a file that is not there"):
            find_inputs(tmp_path, {}, None)

    @pytest.mark.parametrize("name", ["claims 'a\" ü*[1]?;--.csv", "claims 'a\" ü*[1]?;--.parquet"])
    def test_awkward_names_are_only_names(self, tmp_path, name):
        folder = tmp_path / "o'clock [x] k=1"
        folder.mkdir()
        (tmp_path / "o'clock x k=1").mkdir()
        if name.endswith("csv"):
            (folder / name).write_text(claims_text(line(*GOOD)))
        else:
            pq.write_table(pa.table({column: [cell] for column, cell in zip(CLAIM, GOOD, strict=True)}), folder / name)
        connection = load(folder)
        assert connection.execute("SELECT file_name FROM input_file").fetchall() == [(name,)]
        assert connection.execute("SELECT claim_id FROM raw_claims").fetchall() == [("C1",)]
        assert connection.execute("SELECT column_name FROM ignored_column").fetchall() == []

    def test_a_file_that_changes_after_it_was_found_is_refused(self, tmp_path):
        (tmp_path / "claims.csv").write_text(claims_text(line(*GOOD)))
        inputs = find_inputs(tmp_path, {}, None)
        (tmp_path / "claims.csv").write_text(claims_text(line(*GOOD), line(*GOOD)))
        with pytest.raises(InputRejected, match="changed while it was read"):
            load_extracts(open_database(), inputs, None)

    def test_a_name_that_is_not_utf8(self, tmp_path):
        path = os.fsencode(tmp_path) + b"/claims\xff.csv"
        Path(os.fsdecode(path)).write_text(claims_text(line(*GOOD)))
        assert load(tmp_path).execute("SELECT file_name FROM input_file").fetchall() == [("claims\\xff.csv",)]


def test_large_files_are_read_in_blocks_that_join(tmp_path, monkeypatch):
    """Lines of every kind over several small blocks: the same rows as line by line."""
    monkeypatch.setattr(csv_lines, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(csv_lines, "LONGEST_LINE_BYTES", 25_000)
    kinds = [line(*GOOD)] * 40 + [
        line(*(f'"{cell}"' for cell in GOOD)),
        line(*GOOD).replace("\n", "\r\n"),
        line(*CLAIM),
        "\n",
        "C1,1\n",
        'C1,1,"P\n1",M,2026-01-05,97110,2\n',
        'C1,1,"P1,M,2026-01-05,97110,2\n',
        line("é" * 9_000, *GOOD[1:]),
        line("x" * 60_000, *GOOD[1:]),
        line("\ufeffC1", *GOOD[1:]),
        line("C\x001", *GOOD[1:]),
    ]
    order = random.Random(7)
    content = claims_text(*(order.choice(kinds) for _ in range(3000)))
    results = []
    for size in (0, 500, 10**9):
        with plain_lines_taken_from(size):
            loaded = load_claims(tmp_path, content)
            results.append(loaded.execute("SELECT * FROM file_1 ORDER BY source_line").fetchall())
    assert results[0] == results[1] == results[2]
    problem_counts = {row[1] for row in results[0]}
    assert problem_counts == {
        None,
        "repeated_header",
        "too_few_cells",
        "control_character",
        "unbalanced_quote",
        "cell_too_long",
    }
    starts = [row[0] for row in results[0]]
    physical = content.split("\n")
    lone = {number for number, text in enumerate(physical, 1) if text.strip() and text != '1",M,2026-01-05,97110,2'}
    assert set(starts) == lone - {1}


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


class TestHeader:
    def test_trimmed_any_case_any_order_with_bom(self, tmp_path):
        text = "\ufeff Claim_ID ,LINE_NUMBER,Colour,patient_id,payer_id,"
        text += '"service_date",procedure_code,billed_units\r\n'
        connection = load_claims(tmp_path, text + "C1,1,red,P1,M,2026-01-05,97110,2\r\n")
        row = connection.execute(f"SELECT {', '.join(CLAIM)} FROM raw_claims").fetchone()
        assert row == ("C1", "1", "P1", "M", "2026-01-05", "97110", "2")
        assert connection.execute("SELECT file_number, column_name FROM ignored_column").fetchall() == [(1, "Colour")]
        assert connection.execute('SELECT "Colour" FROM file_1').fetchall() == [("red",)]

    def test_blank_lines_before_it_and_blank_columns_behind_it(self, tmp_path):
        connection = load_claims(tmp_path, "\n  \n" + ",".join(CLAIM) + ",,\n" + line(*GOOD) + ",".join(GOOD) + ",,\n")
        assert problems(connection) == [(4, None, None), (5, None, None)]

    def test_unnamed_and_reserved_names_do_not_collide(self, tmp_path):
        text = line("", "source_line", *CLAIM, "read_problem") + line("0", "x", *GOOD, "y")
        connection = load_claims(tmp_path, text)
        ignored = connection.execute("SELECT column_name FROM ignored_column").fetchall()
        assert ignored == [("unnamed_1",), ("source_line_in_file",), ("read_problem_in_file",)]
        assert problems(connection) == [(2, None, None)]

    def test_a_header_over_several_lines(self, tmp_path):
        text = line('"where\nseen, if at all"', *CLAIM) + line("here", *GOOD) + line(*GOOD)
        assert problems(load_claims(tmp_path, text)) == [(3, None, None), (4, "too_few_cells", None)]

    def test_no_row_below_it_is_an_empty_table(self, tmp_path):
        assert problems(load_claims(tmp_path, line(*CLAIM).strip())) == []

    def test_lines_that_end_in_carriage_returns(self, tmp_path):
        connection = load_claims(tmp_path, claims_text(line(*GOOD), line(*GOOD)).replace("\n", "\r"))
        assert problems(connection) == [(2, None, None), (3, None, None)]

    @pytest.mark.parametrize(
        ("content", "number"),
        [
            ("{header},memo\r{row},x\n{row},x\n", 1),
            ("{header},memo\r{row},x\r\n{row},x\r\n", 1),
            ("\n{header}\r{row}\n", 2),
            ('{header},"me\nmo"\r{row},x\r{row},x\r', 2),
            ("{header}\nmemo\r{row},x\r{row},x\r", 2),
            ("{header}\n,memo\r\n{row},x\r\n", 1),
            ("{header},no\nte\r\n{row},x\r\n", 1),
            ("{header}\n{row}\n{row}\r{row}\n", 3),
            ("{header}\n{row}\n" + "{row}\r" * 400_000, 3),
            ("{header}\r" + "{row}\r" * 3000 + "{row}\n{row}\r", 3002),
        ],
    )
    def test_a_line_end_of_another_kind_hides_no_row(self, tmp_path, content, number):
        told = content.replace("{header}", ",".join(CLAIM)).replace("{row}", ",".join(GOOD))
        rejected(tmp_path, told, f"line {number}: ", "one kind of line end")

    @pytest.mark.parametrize(
        ("content", "lines"),
        [
            ('{header},"me\rmo"\n{row},x\n', [2]),
            ('{header},"me\nmo"\r\n{row},x\r\n', [3]),
            ("{header}\n{row}\r\n{row}\r\n", [2, 3]),
            ("{header}\r\n{row}\n{row}\r\n", [2, 3]),
            ("{header}\r\r\n{row}\r\r\n{row}\r\r\n", [2, 3]),
        ],
    )
    def test_line_ends_of_several_kinds_that_hide_nothing(self, tmp_path, content, lines):
        told = content.replace("{header}", ",".join(CLAIM)).replace("{row}", ",".join(GOOD))
        assert problems(load_claims(tmp_path, told)) == [(number, None, None) for number in lines]

    def test_what_cannot_be_read_as_a_table(self, tmp_path):
        good = claims_text(line(*GOOD))
        rejected(tmp_path, "", "is empty")
        rejected(tmp_path, "\n \n", "is empty")
        rejected(tmp_path, good.replace("line_number,", "", 1), "line_number", "missing")
        rejected(
            tmp_path,
            good.replace("payer_id,", "", 1).replace("claim_id", "id"),
            "claim_id, payer_id",
            "columns",
        )
        rejected(tmp_path, good.replace("payer_id", "CLAIM_id "), "columns 1 and 4 have the same name")
        rejected(tmp_path, good.replace(",", ";"), "looks semicolon-separated", "delimiter")
        rejected(tmp_path, good.replace(",", "\t"), "looks tab-separated")
        rejected(tmp_path, good.replace(",", "|"), "looks pipe-separated")
        rejected(tmp_path, "1,1,2026-01-05,97110,2\n", "looks like data")
        rejected(tmp_path, '"' + good, "quote")
        rejected(tmp_path, good.replace("claim_id", '"claim"_id'), "quotes")
        rejected(tmp_path, good.encode("utf-16"), "UTF-16")
        rejected(tmp_path, good.encode("utf-16-le"), "UTF-16")
        rejected(tmp_path, good.encode("utf-32"), "UTF-16")
        rejected(tmp_path, good.replace("payer", "zähler").encode("latin-1"), "not UTF-8")
        rejected(tmp_path, good.replace("payer", "p\0yer"), "NUL")
        rejected(tmp_path, good.encode("cp037"), "claims.csv")
        rejected(tmp_path, b"PK\x03\x04....", "workbook")
        rejected(tmp_path, b"\x1f\x8b....", "gzip")
        rejected(tmp_path, b"PAR1....", "name it .parquet")
        rejected(tmp_path, "x" * 17_000_000, "header")


class TestBadRows:
    @pytest.fixture(autouse=True, params=["line by line", "many lines at once"])
    def way(self, request):
        with plain_lines_taken_from(0 if request.param == "many lines at once" else 64_000):
            yield

    @pytest.mark.parametrize(
        ("bad", "problem", "column"),
        [
            ("C9,1,P9,M,2026-01-05,97110", "too_few_cells", None),
            ("C9", "too_few_cells", None),
            ("C9,1,P9,M,2026-01-05,97110,2,", None, None),
            ("C9,1,P9,M,2026-01-05,97110,2, , ", None, None),
            ("C9,1,P9,M,2026-01-05,97110,2,x", "too_many_cells", None),
            ("C9,1,P9,M,2026-01-05,97110,2,,x", "too_many_cells", None),
            ('"C9,1,P9,M,2026-01-05,97110,2', "unbalanced_quote", None),
            ('C9,1,P9,M,2026-01-05,97110,"2', "unbalanced_quote", None),
            ('C9,1,"P"9,M,2026-01-05,97110,2', "unbalanced_quote", None),
            ('C9,1,P9",M,2026-01-05,97110,2', "unbalanced_quote", "patient_id"),
            ('C9,1,P9" ,M,2026-01-05,97110,2', "unbalanced_quote", "patient_id"),
            ('C9,1,P"9,M,2026-01-05,97110,2', None, None),
            ('C9,1,P9,M "Gold",2026-01-05,97110,2', None, None),
            ('C9,1,"P9""",M,2026-01-05,97110,2', None, None),
            ('C9,1,"P9" ,M,2026-01-05,97110,2', None, None),
            ("C9,1,P\x009,M,2026-01-05,97110,2", "control_character", "patient_id"),
            ("C9,1,P\t9,M,2026-01-05,97110,2", "control_character", "patient_id"),
            ("C9,1,P9\t,M,2026-01-05,97110,2", None, None),
            ('C9,1,P9,"M\nN",2026-01-05,97110,2', "control_character", "payer_id"),
            ("C9,1,P\r9,M,2026-01-05,97110,2", "control_character", "patient_id"),
            (b"C9,1,P9,M\xff,2026-01-05,97110,2", "not_utf8", "payer_id"),
            (b"C9,1,P9,M\xed\xa0\x80,2026-01-05,97110,2", "not_utf8", "payer_id"),
            (b"\xff\xff", "too_few_cells", None),
            (f"C9,1,{'9' * 100_000},M,2026-01-05,97110,2", None, None),
            (f"C9,1,{'9' * 100_001},M,2026-01-05,97110,2", "cell_too_long", "patient_id"),
            (f"C9,1,{'é' * 50_001},M,2026-01-05,97110,2", "cell_too_long", "patient_id"),
            ("x" * 33_000_000, "cell_too_long", None),
            (" Claim_id ," + ",".join(CLAIM[1:]), "repeated_header", None),
            ("\ufeff" + ",".join(CLAIM), "repeated_header", None),
            (",,,,,,", None, None),
        ],
    )
    def test_one_bad_row_never_costs_a_neighbour(self, tmp_path, bad, problem, column):
        bad = bad.encode() if isinstance(bad, str) else bad
        before, after = claims_text(line(*GOOD)).encode(), line("C2", *GOOD[1:]).encode()
        connection = load_claims(tmp_path, before + bad + b"\n" + after)
        height = bad.count(b"\n") + 1
        assert problems(connection) == [(2, None, None), (3, problem, column), (3 + height, None, None)]
        ids = connection.execute("SELECT claim_id FROM raw_claims ORDER BY source_line").fetchall()
        assert (ids[0], ids[2]) == (("C1",), ("C2",))
        kept = connection.execute("SELECT unread_text FROM file_1 WHERE source_line = 3").fetchone()[0]
        assert (kept is None) == (problem is None)
        if kept and len(bad) < 1000:
            assert kept == bad.decode("utf-8", "backslashreplace")

    def test_the_readable_cells_of_a_row_with_one_bad_cell_are_kept(self, tmp_path):
        connection = load_claims(tmp_path, claims_text().encode() + b"C1,1,P1,M\xff,2026-01-05,\x01,2\n")
        row = connection.execute(f"SELECT {', '.join(CLAIM)} FROM raw_claims").fetchone()
        assert row == ("C1", "1", "P1", None, "2026-01-05", None, "2")

    def test_the_last_line_cut_off_inside_a_quote(self, tmp_path):
        connection = load_claims(tmp_path, claims_text(line(*GOOD), 'C2,1,"P2'))
        assert problems(connection) == [(2, None, None), (3, "unbalanced_quote", None)]

    def test_an_open_quote_swallows_no_row_with_quotes_of_its_own(self, tmp_path):
        quoted = line(*(f'"{cell}"' for cell in GOOD))
        connection = load_claims(
            tmp_path, claims_text(quoted, '"C1","1,"P1"\n', quoted, 'C1,1,P1,M,D,97110,"\n', quoted)
        )
        assert [row[1] for row in problems(connection)] == [
            None,
            "unbalanced_quote",
            None,
            "unbalanced_quote",
            None,
        ]

    def test_blank_lines_are_no_rows_and_count_as_lines(self, tmp_path):
        connection = load_claims(tmp_path, claims_text(line(*GOOD), "\n", " \t \n", line(*GOOD), "\n"))
        assert problems(connection) == [(2, None, None), (5, None, None)]

    def test_a_column_that_nobody_reads_makes_no_row_bad(self, tmp_path):
        text = line(*CLAIM, "memo").encode() + line(*GOOD).strip().encode() + b",a\x00b\xff\tc\n"
        connection = load_claims(tmp_path, text)
        assert problems(connection) == [(2, None, None)]
        assert connection.execute("SELECT memo FROM file_1").fetchone() == ("a\x00b\ufffd\tc",)

    def test_free_text_may_hold_lines_and_tabs_and_a_megabyte(self, tmp_path):
        (tmp_path / "claims.csv").write_text(claims_text())
        long_text = "n" * 1_000_000
        with (tmp_path / "notes.csv").open("w", newline="") as handle:
            write = csv.writer(handle)
            write.writerow(NOTE)
            for narrative in (
                "one\r\ntwo\tthree\n\nfour, five",
                long_text,
                long_text + "n",
                "bell \x07",
                "end",
            ):
                write.writerow(["N1", "P1", "2026-01-05", "T1", "PT", narrative])
        connection = load(tmp_path)
        assert problems(connection, "notes") == [
            (2, None, None),
            (6, None, None),
            (7, "cell_too_long", "narrative"),
            (8, "control_character", "narrative"),
            (9, None, None),
        ]
        first = connection.execute("SELECT narrative FROM raw_notes WHERE source_line = 2").fetchone()[0]
        assert first == "one\r\ntwo\tthree\n\nfour, five"

    @pytest.mark.parametrize("size", [0, 10**9])
    def test_a_cell_that_bears_on_no_verdict_costs_itself_alone(self, tmp_path, size):
        """A name in cp1252 is no UTF-8, and neither is the description of a block."""
        columns = ("note_id", "block_number", "procedure_code", "minutes", "goal", "description", "started_at")
        rows = [("N1", str(number), "97110", "15", "walk", "steps", "") for number in range(1, 4)]
        text = line(*columns) + "".join(line(*row) for row in rows)
        text = text.replace("1,97110,15,walk", "1,97110,15,M\udcfcller").replace(
            "2,97110,15,walk,steps", "2,97110,15,a\0b,\x07"
        )
        text = text.replace("3,97110,15,walk,steps,", "3,97110,15,walk,steps,9\udcff")
        (tmp_path / "note_blocks.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
        (tmp_path / "notes.csv").write_text(line(*NOTE) + line("N1", "P1", "2026-01-05", "T1", "PT", ""))
        (tmp_path / "claims.csv").write_text(claims_text())
        with plain_lines_taken_from(size):
            con = load(tmp_path)
        assert problems(con, "note_blocks") == [(2, None, None), (3, None, None), (4, "not_utf8", "started_at")]
        assert accepted(con, "note_blocks", "goal, description") == [(None, "steps"), (None, None)]
        assert con.execute("SELECT column_name, cell_count FROM cell_set_aside ORDER BY ALL").fetchall() == [
            ("description", 1),
            ("goal", 2),
        ]

    def test_free_text_over_lines_may_be_the_first_column(self, tmp_path):
        (tmp_path / "claims.csv").write_text(claims_text())
        shuffled = ("narrative", *NOTE[:-1])
        text = line(*shuffled) + 'ok,N1,P1,D,T1,PT\n"one\n\ntwo ""and"" three",N2,P1,D,T1,PT\nok,N3,P1,D,T1,PT\n'
        (tmp_path / "notes.csv").write_text(text)
        assert problems(load(tmp_path), "notes") == [(2, None, None), (3, None, None), (6, None, None)]

    def test_a_second_load_replaces_the_first(self, tmp_path):
        (tmp_path / "claims.csv").write_text(claims_text(line(*GOOD)))
        (tmp_path / "claims2.csv").write_text(claims_text(line(*GOOD)))
        connection = load(tmp_path)
        (tmp_path / "claims2.csv").unlink()
        load_extracts(connection, find_inputs(tmp_path, {}, None), None)
        assert connection.execute("SELECT count(*) FROM raw_claims").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM input_file").fetchone() == (1,)
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'file\\_%' ESCAPE '\\'"
        )
        assert tables.fetchall() == [("file_1",)]

    def test_batches_join_without_a_seam(self, tmp_path, monkeypatch):
        monkeypatch.setattr(csv_reader, "BATCH_CELLS", 33)
        connection = load_claims(tmp_path, claims_text(*(line(f"C{number}", *GOOD[1:]) for number in range(100))))
        rows = connection.execute("SELECT source_line, claim_id FROM raw_claims ORDER BY source_line").fetchall()
        assert rows == [(number + 2, f"C{number}") for number in range(100)]

    @pytest.mark.parametrize(
        "odd", ["narrative,note_id,patient_id,service_date,provider_id,discipline", "\udcff,N,P,D,T,PT"]
    )
    @pytest.mark.parametrize("smallest", [0, 1, 200, 10**9])
    def test_runs_of_plain_lines_around_others_keep_their_numbers(self, tmp_path, odd, smallest):
        (tmp_path / "claims.csv").write_text(claims_text())
        header = "narrative,note_id,patient_id,service_date,provider_id,discipline"
        plain = [f"ok,N{number},P1,2026-01-05,T1,PT" for number in range(60)]
        # line 22 and 23 are one note; in the second run one line has something to judge after all
        lines = [header, *plain[:20], '"one\ntwo",N,P1,2026-01-05,T1,PT', *plain[20:40], odd, *plain[40:]]
        (tmp_path / "notes.csv").write_bytes(("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))
        with plain_lines_taken_from(smallest):
            rows = problems(load(tmp_path), "notes")
        assert [row[0] for row in rows] == [*range(2, 22), 22, *range(24, 65)]
        assert [row[0] for row in rows if row[1]] == [44]


class TestParquet:
    def write(self, folder: Path, **columns) -> Path:
        table = {column: [cell] * 2 for column, cell in zip(CLAIM, GOOD, strict=True)}
        pq.write_table(pa.table(table | columns), folder / "claims.parquet")
        return folder

    def test_a_column_with_the_name_of_duckdbs_own_is_told(self, tmp_path):
        self.write(tmp_path, File_Row_Number=["1", "2"])
        (tmp_path / "notes.csv").write_text(line(*NOTE))
        with pytest.raises(InputRejected, match=r"^claims\.parquet: has a column file_row_number"):
            load(tmp_path)

    def raw(self, folder: Path, column: str) -> list:
        rows = load(folder).execute(f"SELECT {column} FROM raw_claims ORDER BY source_line").fetchall()
        return [row[0] for row in rows]

    @pytest.mark.parametrize(
        ("column", "cells", "as_text"),
        [
            ("procedure_code", pa.array([97112.0, float("nan")]), ["97112", None]),
            ("procedure_code", pa.array([97112, None], pa.int32()), ["97112", None]),
            ("procedure_code", pa.array(["97112", None]).dictionary_encode(), ["97112", None]),
            ("claim_id", pa.array([2.0**53 - 1, 2.0**53]), ["9007199254740991", "9.0071992547409920e+15"]),
            ("claim_id", pa.array([2026100600000001.0, None]), ["2026100600000001", None]),
            ("claim_id", pa.array([2.0**24 - 1, 2.0**24], pa.float32()), ["16777215", "1.6777216000000000e+07"]),
            ("claim_id", pa.array([decimal.Decimal("12.00"), decimal.Decimal("1.50")]), ["12", "1.50"]),
            ("service_date", pa.array([datetime.date(2026, 1, 5), None]), ["2026-01-05", None]),
            (
                "service_date",
                pa.array([datetime.datetime(2026, 1, 5), datetime.datetime(2026, 1, 5, 9, 30, 0, 5)]),
                ["2026-01-05 00:00:00", "2026-01-05 09:30:00"],
            ),
            ("modifiers", pa.array([["GP", "59"], []]), ["GP;59", ""]),
            ("modifiers", pa.array([["GP", None], None]), ["GP", None]),
            ("paid_usd", pa.array([0.1, 25.25]), ["0.1", "25.25"]),
            ("paid_usd", pa.array([decimal.Decimal("10.10"), None]), ["10.10", None]),
            ("clinic_id", pa.array([True, None]), ["true", None]),
            ("clinic_id", pa.array([datetime.time(9, 5, 0, 7), None]), ["09:05:00", None]),
        ],
    )
    def test_every_plain_type_becomes_text(self, tmp_path, column, cells, as_text):
        assert self.raw(self.write(tmp_path, **{column: cells}), column) == as_text

    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            (pa.array([{"a": 1}, None]), "nested"),
            (pa.array([[[1]], None]), "nested"),
            (pa.array([b"\xff", None]), "bytes"),
            (pa.array([datetime.datetime(2026, 1, 5)] * 2, pa.timestamp("us", "UTC")), "time zone"),
        ],
    )
    def test_a_type_without_one_text_is_refused_where_it_is_read(self, tmp_path, cells, said):
        assert self.raw(self.write(tmp_path, memo=cells), "claim_id") == ["C1", "C1"]
        with pytest.raises(InputRejected, match=said):
            load(self.write(tmp_path, clinic_id=cells))

    @pytest.mark.parametrize("digits", [38, 39, 76])
    @pytest.mark.parametrize("is_list", [False, True])
    def test_decimals_wider_than_any_number_here_are_refused_where_they_are_read(self, tmp_path, digits, is_list):
        kind = (pa.decimal128 if digits <= 38 else pa.decimal256)(digits, 2)
        cells = [decimal.Decimal("12.50"), None]
        held = pa.array([[cell] for cell in cells], pa.list_(kind)) if is_list else pa.array(cells, kind)
        assert self.raw(self.write(tmp_path, memo=held), "claim_id") == ["C1", "C1"]
        self.write(tmp_path, paid_usd=held)
        if digits <= 38:
            assert self.raw(tmp_path, "paid_usd")[0] == "12.50"
        else:
            with pytest.raises(InputRejected, match=r"^claims\.parquet: column 'paid_usd' holds .* 38 digits"):
                load(tmp_path)

    def test_ids_that_pandas_made_floating_meet_whole_numbers(self, tmp_path):
        """pandas makes a DOUBLE of any column of numbers with a gap, as of the originals of few claims."""
        claim = 2026100600000001
        self.write(
            tmp_path, claim_id=[claim, claim + 1], original_claim_id=[None, float(claim)], claim_frequency_code=[1, 7]
        )
        assert accepted(load(tmp_path), "claims", "claim_id, original_claim_id") == [
            (str(claim), None),
            (str(claim + 1), str(claim)),
        ]

    @pytest.mark.parametrize("column", ["patient_id", "original_claim_id"])
    def test_a_rounded_id_is_set_aside_and_names_nobody(self, tmp_path, column):
        cells = {column: [float(2**53 - 1), float(2**53 + 1)], "line_number": [1, 2], "claim_frequency_code": [7, 7]}
        con = load(self.write(tmp_path, **cells))
        assert accepted(con, "claims", column) == [("9007199254740991",)]
        named = f"SELECT source_line, reason, column_name, {column} FROM quarantine"
        assert con.execute(named).fetchall() == [(2, "rounded_id", column, None)]

    def test_names_in_any_case_and_row_numbers_as_lines(self, tmp_path):
        table = {column.upper() + " ": [cell] * 300 for column, cell in zip(CLAIM, GOOD, strict=True)}
        pq.write_table(pa.table(table | {"file_row": range(300)}), tmp_path / "claims.parquet", row_group_size=7)
        rows = load(tmp_path).execute("SELECT source_line, file_row FROM file_1 ORDER BY source_line").fetchall()
        assert rows == [(number + 1, str(number)) for number in range(300)]

    def test_columns_that_differ_by_case_alone_are_refused(self, tmp_path):
        with pytest.raises(InputRejected, match="same name"):
            load(self.write(tmp_path, Claim_ID=["a", "b"]))

    def test_nested_columns_before_a_needed_one_do_not_shift_names(self, tmp_path):
        table = {"a": [{"b": {"c": [1]}}], "e": [[1, 2]]}
        table |= {column: [cell] for column, cell in zip(CLAIM, GOOD, strict=True)}
        pq.write_table(pa.table(table), tmp_path / "claims.parquet")
        assert self.raw(tmp_path, "billed_units") == ["2"]

    def test_bad_cells_are_marked_by_row(self, tmp_path):
        self.write(tmp_path, patient_id=["a\0b", "ok"], payer_id=["ok", "x" * 100_001])
        marked = [(1, "control_character", "patient_id"), (2, "cell_too_long", "payer_id")]
        assert problems(load(tmp_path)) == marked

    def test_bad_cells_that_bear_on_no_verdict_are_left_to_the_contract(self, tmp_path):
        con = load(self.write(tmp_path, line_number=[1, 2], clinic_id=["a\0b", "ok"], place_of_service=["11", "1\x07"]))
        assert problems(con) == [(1, None, None), (2, None, None)]
        assert accepted(con, "claims", "clinic_id, place_of_service") == [(None, "11"), ("ok", None)]

    def test_what_is_no_parquet(self, tmp_path):
        path = self.write(tmp_path) / "claims.parquet"
        whole = path.read_bytes()
        for content in (
            b"",
            b"PAR1",
            b"a,b\n1,2\n",
            whole[:-9],
            whole[:200] + whole[-200:],
            b"PAR1" + whole[40:],
        ):
            path.write_bytes(content)
            with pytest.raises(InputRejected, match=r"^claims\.parquet: "):
                apply_contract(load(tmp_path), datetime.date(2026, 11, 10))  # the rows are read under the contract

    def test_a_missing_column(self, tmp_path):
        pq.write_table(pa.table({"claim_id": ["C1"]}), tmp_path / "claims.parquet")
        with pytest.raises(InputRejected, match="required columns missing"):
            load(tmp_path)


# Text that csv.writer quotes in every way; NUL and its like make a row bad, and are tried elsewhere.
AWKWARD = st.text(
    st.sampled_from(list("a1 \",;'\n\r\t|=é\u2028\u0085\u00a0😀{}[]")) | st.characters(exclude_categories=("Cc", "Cs")),
    max_size=12,
)


def splits_as_record(text: str, width: int) -> bool:
    return any(part.count(",") >= width - 1 for part in text.split("\n"))


@pytest.fixture(scope="module")
def shared():
    """One connection for many loads: each replaces what the one before left."""
    return open_database()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(AWKWARD, min_size=4, max_size=4), max_size=8),
    shuffle=st.permutations(range(6)),
    end=st.sampled_from(["\r\n", "\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    bom=st.booleans(),
    at_once=st.sampled_from([0, 64_000]),
)
def test_what_a_csv_writer_wrote_comes_back_exactly(tmp_path, shared, rows, shuffle, end, quoting, bom, at_once):
    """Free text in four columns, in any place of the row."""
    header = ["note_id", "block_number", "procedure_code", "goal", "description", "memo"]
    rows = [[f"N{n}", str(n), "97110", *row[:3]] for n, row in enumerate(rows, 1)]
    assume(not any(splits_as_record(cell, 6) for row in rows for cell in row))
    # A bare carriage return is only quoted, and so only told from a line's end, where it is part of the
    # line's end.
    assume(end == "\r\n" or not any("\r" in cell for row in rows for cell in row))
    path = tmp_path / "note_blocks.csv"
    with path.open("w", newline="", encoding="utf-8-sig" if bom else "utf-8") as handle:
        write = csv.writer(handle, lineterminator=end, quoting=quoting)
        write.writerows([[row[place] for place in shuffle] for row in [header, *rows]])
    (tmp_path / "claims.csv").write_text(claims_text())
    with plain_lines_taken_from(at_once):
        connection = load(tmp_path, connection=shared)
    assert {row[1] for row in problems(connection, "note_blocks")} <= {None}
    read = connection.execute(f"SELECT {', '.join(header)} FROM file_2 ORDER BY source_line").fetchall()
    assert read == [tuple(cell or None for cell in row) for row in rows]
    raw = connection.execute("SELECT goal, description FROM raw_note_blocks ORDER BY source_line").fetchall()
    assert raw == [(row[3] or None, row[4] or None) for row in rows]


PIECES = st.sampled_from([
    b'"', b",", b"\n", b"\r\n", b"\r", b"\x00", b"\xff", b"\xfe\xff", b";", b'""', b'","', b'"\n"',
    b"\xef\xbb\xbf",
    b"=cmd|'/c'!A0", b"x" * 120_000, line(*CLAIM).encode(),
])  # fmt: skip


@st.composite
def corrupted(draw) -> bytes:
    """A good file of claims with bytes put in, taken out, cut off."""
    content = claims_text(*(line(f"C{number}", *GOOD[1:]) for number in range(6))).encode()
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(content)))
        width = draw(st.sampled_from([0, 0, 1, 5]))
        content = content[:place] + draw(PIECES | st.binary(max_size=3)) + content[place + width :]
    return content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=corrupted())
def test_corruption_is_rejected_or_every_line_appears_once(tmp_path, shared, content):
    path = tmp_path / "claims.csv"
    path.write_bytes(content)
    try:
        connection = load(tmp_path, connection=shared)
    except AuditError as problem:
        assert isinstance(problem, InputRejected) and "\n" not in str(problem)
        return
    rows = connection.execute(
        "SELECT source_line, read_problem, unread_text, claim_id FROM file_1 ORDER BY source_line"
    ).fetchall()
    assert connection.execute("SELECT count(*) FROM raw_claims").fetchone() == (len(rows),)
    one_by_one = connection.execute("SELECT * FROM file_1 ORDER BY source_line").fetchall()
    with plain_lines_taken_from(0):
        load(tmp_path, connection=shared)
    assert one_by_one == connection.execute("SELECT * FROM file_1 ORDER BY source_line").fetchall()
    starts = [row[0] for row in rows]
    assert len(set(starts)) == len(starts)
    physical = content.split(b"\n") if b"\n" in content else content.split(b"\r")
    # Each line with anything on it starts a record, or lies within the record that starts above it.
    filled = {number for number, part in enumerate(physical, 1) if part.decode("utf-8", "replace").strip(" \r\ufeff")}
    assert set(starts) <= filled
    for number, part in enumerate(physical, 1):
        if part.rstrip(b"\r") in {line(f"C{n}", *GOOD[1:]).strip().encode() for n in range(6)} and number > min(
            starts, default=0
        ):
            assert number in starts, "a good row was swallowed"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 5000), width=st.integers(0, 50), piece=st.binary(max_size=20))
def test_corrupt_parquet_is_rejected_or_read(tmp_path, shared, place, width, piece):
    table = {column: [cell] * 50 for column, cell in zip(CLAIM, GOOD, strict=True)}
    path = tmp_path / "claims.parquet"
    pq.write_table(pa.table(table), path)
    content = path.read_bytes()
    place %= len(content)
    path.write_bytes(content[:place] + piece + content[place + width :])
    try:
        load(tmp_path, connection=shared)
    except AuditError as problem:
        assert isinstance(problem, InputRejected) and "\n" not in str(problem)


@pytest.mark.parametrize("name", ["claims.csv", "notes.csv"])
def test_messages_never_hold_a_cell(tmp_path, name):
    (tmp_path / "claims.csv").write_text(claims_text(line(*GOOD)))
    (tmp_path / name).write_text("SECRETNAME\nSECRETNAME\n" if name == "notes.csv" else "claim_id\nSECRETNAME\n")
    with pytest.raises(InputRejected) as caught:
        load(tmp_path)
    assert "SECRETNAME" not in str(caught.value)


def test_raw_tables_hold_the_columns_of_the_contract(tmp_path):
    connection = load_claims(tmp_path, claims_text())
    for table in ("claims", "notes", "note_blocks"):
        columns = [row[0] for row in connection.execute(f"DESCRIBE raw_{table}").fetchall()]
        fixed = ["file_number", "source_line", "piece", "read_problem", "problem_column"]
        assert columns == [*fixed, *(one.field for one in contract_fields(table))]


def test_a_mapping_may_say_the_delimiter(tmp_path):
    (tmp_path / "m.toml").write_text('[claims]\ndelimiter = "\\t"\n')
    (tmp_path / "claims.csv").write_text(claims_text(line(*GOOD), '"C\t2"' + line(*GOOD)[2:]).replace(",", "\t"))
    connection = load(tmp_path, load_mapping(tmp_path / "m.toml"))
    assert problems(connection) == [(2, None, None), (3, "control_character", "claim_id")]
