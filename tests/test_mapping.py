"""Mapping files: foreign extracts become the canonical tables, and every mistake in a mapping names its
key."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.database.duckdb_file import open_database
from transforms.errors import InputRejected, UsageProblem
from transforms.extract import find_inputs, load_extracts, load_mapping

ROOT = Path(__file__).resolve().parent.parent
TUVA = ROOT.parent / "shared" / "data" / "tuva_claim_seed"


def mapping(folder: Path, toml: str):
    path = folder / "my.toml"
    path.write_text(toml, encoding="utf-8")
    return load_mapping(path)


def load(folder: Path, toml: str):
    said = mapping(folder, toml)
    connection = open_database()
    load_extracts(connection, find_inputs(folder, {}, said), said)
    return connection


def claims(folder: Path, header: str, *rows: str, columns: str, more: str = ""):
    """Loads lines whose required columns are constants, save for what `columns` says."""
    said = {column: f'{column} = {{ constant = "1" }}' for column in REQUIRED}
    said |= {one.split("=")[0].strip(): one for one in columns.strip().split("\n")}
    (folder / "claims.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return load(folder, "[claims.columns]\n" + "\n".join(said.values()) + "\n" + more)


REQUIRED = (
    "claim_id",
    "line_number",
    "patient_id",
    "payer_id",
    "service_date",
    "procedure_code",
    "billed_units",
)


def column(connection, name: str, table: str = "claims") -> list:
    rows = connection.execute(f"SELECT {name} FROM raw_{table} ORDER BY file_number, source_line, piece").fetchall()
    return [row[0] for row in rows] if "," not in name else rows


def inferred(connection, kinds: tuple[str, ...] = ("column", "number")) -> list[tuple]:
    return connection.execute(
        "SELECT column_name, taken_from, row_count FROM inference "
        f"WHERE kind IN ({', '.join(map(repr, kinds))}) ORDER BY table_name, column_name, taken_from"
    ).fetchall()


class TestTheManualsExample:
    """docs/mapping.md: its extracts and its mapping give the rows that it prints."""

    @pytest.fixture
    def loaded(self, tmp_path):
        blocks = re.findall(r"```(csv|toml)\n(.*?)```", (ROOT / "docs" / "mapping.md").read_text(), re.S)
        billing, visits, toml = (text for _, text in blocks)
        (tmp_path / "billing_2026-01.csv").write_text(billing)
        (tmp_path / "visits_2026-01.csv").write_text(visits)
        return load(tmp_path, toml)

    def test_tables_printed_are_the_tables_loaded(self, loaded):
        manual = (ROOT / "docs" / "mapping.md").read_text()
        for table, key in (("claims", "claim_id"), ("note_blocks", "note_id")):
            printed = re.search(rf"\| {table} \|.*?\n\n", manual, re.S).group().strip().split("\n")
            header, _, *rows = ([cell.strip() for cell in row.strip("|").split("|")] for row in printed)
            wanted = ", ".join([key, *header[1:]])
            assert [list(row) for row in column(loaded, wanted, table)] == rows

    def test_what_was_inferred_and_filtered(self, loaded):
        assert inferred(loaded) == [
            ("line_number", "numbered within ClaimNo", 3),
            ("service_date", "ClaimFrom", 1),
            ("block_number", "numbered within visit", 3),
        ]
        assert inferred(loaded, ("constant",)) == [("claim_type", "professional", 3)]
        counts = "SELECT table_name, rows_in_file, rows_filtered FROM filtered_count "
        counts += "JOIN input_file USING (file_number) ORDER BY file_number"
        assert loaded.execute(counts).fetchall() == [("claims", 4, 1), ("notes", 3, 0), ("note_blocks", 3, 1)]
        assert column(loaded, "note_id, status", "notes") == [
            ("V1", "signed"),
            ("V2", "signed"),
            ("V3", "draft"),
        ]
        assert column(loaded, "note_id, piece", "note_blocks") == [("V1", 1), ("V1", 2), ("V2", 1)]


class TestColumns:
    def test_constants_of_every_kind_and_none(self, tmp_path):
        told = (
            'payer_order = {constant = 2}\nclaim_type = {constant = ""}\n'
            "paid_usd = { constant = 1.5 }\nclinic_id = {constant = true}"
        )
        loaded = claims(tmp_path, "a,claim_type", "x,professional", columns=told)
        assert column(loaded, "payer_order, claim_type, paid_usd, clinic_id") == [("2", None, "1.5", "true")]
        assert column(loaded, "claim_id") == ["1"]

    def test_a_column_of_the_same_name_needs_no_word(self, tmp_path):
        loaded = claims(tmp_path, "Clinic_ID,x", "north,1", columns='claim_id = "X"')
        assert column(loaded, "claim_id, clinic_id") == [("1", "north")]

    def test_first_of_takes_the_first_that_is_not_blank(self, tmp_path):
        rows = ["1,2,3", " ,2,3", ",\u00a0,3", ",,", "1,,"]
        loaded = claims(tmp_path, "a,b,c", *rows, columns='clinic_id = { first_of = ["A", "b", "c"] }')
        assert column(loaded, "clinic_id") == ["1", "2", "3", None, "1"]
        assert inferred(loaded) == [("clinic_id", "b", 1), ("clinic_id", "c", 1)]

    def test_join_leaves_blank_ones_out(self, tmp_path):
        told = 'modifiers = { join = ["a", "b", "c"] }\ndiagnosis_codes = { join = ["a", "c"], with = "\'|\'" }'
        loaded = claims(tmp_path, "a,b,c", "GP,,59", ",,", ", X ,", columns=told)
        assert column(loaded, "modifiers") == ["GP;59", None, "X"]
        assert column(loaded, "diagnosis_codes") == ["GP'|'59", None, None]

    def test_by_first_of_says_which_it_was(self, tmp_path):
        told = 'service_date_basis = { by_first_of = { a = "line", b = "claim" } }'
        loaded = claims(tmp_path, "a,b", "1,2", ",2", ",", columns=told)
        assert column(loaded, "service_date_basis") == ["line", "claim", None]

    def test_number_within_counts_the_rows_kept(self, tmp_path):
        told = 'claim_id = "a"\nline_number = { number_within = ["a", "b"] }'
        more = '[[claims.where]]\ncolumn = "b"\nis_not = "x"\n'
        loaded = claims(tmp_path, "a,b", "1,p", "2,p", "1,x", "1,p", "1,q", "1,", "1,", columns=told, more=more)
        assert column(loaded, "claim_id, line_number") == [
            ("1", "1"), ("2", "1"), ("1", "2"), ("1", "1"), ("1", "1"), ("1", "2")
        ]  # fmt: skip

    def test_values_and_other(self, tmp_path):
        told = (
            'claim_status = { from = "a", values = { A = "paid", "d\'s" = "denied", X = "" }, '
            'other = "pending" }\n'
            'clinic_id = { from = "a", values = { A = 7 } }'
        )
        loaded = claims(tmp_path, "a,b", "A,", "d's,", "a,", "X,", ",", columns=told)
        assert column(loaded, "claim_status") == ["paid", "denied", "pending", None, None]
        assert column(loaded, "clinic_id") == ["7", "d's", "a", "X", None]

    def test_last_characters_come_before_values(self, tmp_path):
        told = 'claim_frequency_code = { from = "a", last_characters = 1, values = { 7 = "7" }, other = 1 }'
        loaded = claims(tmp_path, "a", "137", "0131", '""', "7", columns=told)
        assert column(loaded, "claim_frequency_code") == ["7", "1", None, "7"]

    def test_a_column_may_be_taken_in_some_rows_only(self, tmp_path):
        told = 'charge_usd = { from = "a", where = { column = "b", is = "P" } }'
        loaded = claims(tmp_path, "a,b", "1,P", "2,I", "3,", columns=told)
        assert column(loaded, "charge_usd") == ["1", None, None]

    @pytest.mark.parametrize(
        ("formats", "cell", "read"),
        [
            (["%m/%d/%Y"], "1/5/2026", "2026-01-05"),
            (["%Y%m%d"], " 20260105 ", "2026-01-05"),
            (["%Y%m%d", "%d.%m.%Y"], "05.01.2026", "2026-01-05"),
            (["%d-%b-%y"], "05-Jan-26", "2026-01-05"),
            (["%m/%d/%Y %H:%M"], "01/05/2026 14:00", "2026-01-05"),
            (["%m/%d/%Y"], "13/45/2026", "13/45/2026"),
            (["%m/%d/%Y"], "2026-01-05", "2026-01-05"),
        ],
    )
    def test_dates(self, tmp_path, formats, cell, read):
        told = f'service_date = {{ from = "a", date_formats = {formats} }}'
        assert column(claims(tmp_path, "a,b", f"{cell},", columns=told), "service_date") == [read]

    @pytest.mark.parametrize(
        ("form", "cell", "read"),
        [
            ("%m/%d/%Y", "3/31/2026", "2026-03-31"),
            ("%m/%d/%Y", "3/31/26", "3/31/26"),  # not the year 26
            ("%m/%d/%Y", "3/31/026", "3/31/026"),
            ("%m/%d/%y", "3/31/26", "2026-03-31"),
            ("%m/%d/%y", "3/31/2026", "3/31/2026"),
            ("%d-%b-%Y", "5-Jan-26", "5-Jan-26"),
            ("%Y%m%d", "2026105", "2026105"),  # October 5, or January 05 without its nought
        ],
    )
    def test_a_year_has_all_its_digits(self, tmp_path, form, cell, read):
        told = f'service_date = {{ from = "a", date_formats = ["{form}"] }}'
        assert column(claims(tmp_path, "a,b", f"{cell},", columns=told), "service_date") == [read]

    def test_what_is_stripped_and_replaced(self, tmp_path):
        told = (
            """claim_id = { from = "a", strip = '^0+' }\n"""
            """procedure_code = { from = "b", strip = ' - .*$' }\n"""
            """clinic_id = { from = "a", replace = { '(\\d)$' = '\\1 ', '1' = "one" }, values = { '0\\one' = "x" } }"""
        )
        loaded = claims(tmp_path, "a,b", "0017,97110 - Therapeutic exercise", "000,", "01,97140", columns=told)
        assert column(loaded, "claim_id, procedure_code") == [("17", "97110"), (None, None), ("1", "97140")]
        assert column(loaded, "clinic_id") == ["00one\\one", "00\\one", "x"], "what is put in is text"

    def test_a_pattern_cannot_make_a_load_hang(self, tmp_path):
        """Where a reader goes back and tries again, this cell takes longer than the sun will shine."""
        told = """claim_id = { from = "a", strip = '^(a+)+$' }"""
        cell = "a" * 60 + "!"
        assert column(claims(tmp_path, "a,b", f"{cell},", columns=told), "claim_id") == [cell]

    @pytest.mark.parametrize(
        ("formats", "cell", "read"),
        [
            (["%I:%M %p"], "1:05 PM", "13:05:00"),
            (["%H%M"], "0905", "09:05:00"),
            (["%I:%M %p", "%m/%d/%Y %H:%M"], "01/05/2026 13:05", "2026-01-05 13:05:00"),
            (["%I:%M %p"], "13:05", "13:05"),
        ],
    )
    def test_clock_times(self, tmp_path, formats, cell, read):
        (tmp_path / "claims.csv").write_text(",".join(REQUIRED) + "\n")
        (tmp_path / "note_blocks.csv").write_text(f"note_id,block_number,procedure_code,a\nN1,1,97110,{cell}\n")
        toml = f'[note_blocks.columns]\nstarted_at = {{ from = "a", date_formats = {formats} }}\n'
        assert column(load(tmp_path, toml), "started_at", "note_blocks") == [read]


class TestSplit:
    def blocks(self, folder: Path, *rows: str):
        (folder / "claims.csv").write_text(",".join(REQUIRED) + "\n")
        (folder / "note_blocks.csv").write_text("\n".join(["note,codes,mins", *rows]) + "\n")
        return load(
            folder,
            '[note_blocks.columns]\nnote_id = "note"\nblock_number = { number_within = ["note"] }\n'
            'procedure_code = { from = "codes", split = "array" }\n'
            'minutes = { from = "mins", split = "array" }\n',
        )

    @pytest.mark.parametrize(
        "cell",
        ["{97110,97112}", "97110|97112", '["97110","97112"]', "[97110, 97112]", "97110;97112",
         "{'97110', '97112'}",
         " ( 97110 , 97112 ) ", '{"97110","97112"}', '["97110","97112"'],
    )  # fmt: skip
    def test_one_array_cell_becomes_rows(self, tmp_path, cell):
        quoted = '"' + cell.replace('"', '""') + '"'
        loaded = self.blocks(tmp_path, f"N1,{quoted},10|20", "N1,97530,5")
        assert column(loaded, "source_line, piece, block_number, procedure_code, minutes", "note_blocks") == [
            (2, 1, "1", "97110", "10"),
            (2, 2, "2", "97112", "20"),
            (3, 1, "3", "97530", "5"),
        ]

    @pytest.mark.parametrize("cell", ["", "{}", "[]", '" "'])
    def test_nothing_to_split_is_one_row(self, tmp_path, cell):
        loaded = self.blocks(tmp_path, f"N1,{cell},")
        assert column(loaded, "piece, procedure_code, read_problem", "note_blocks") == [(0, None, None)]

    def test_what_is_stripped_comes_before_the_split(self, tmp_path):
        (tmp_path / "claims.csv").write_text(",".join(REQUIRED) + "\n")
        (tmp_path / "note_blocks.csv").write_text("note,codes\nN1,97110 (25 min)|97112 (15 min)\n")
        toml = (
            '[note_blocks.columns]\nnote_id = "note"\nblock_number = { number_within = ["note"] }\n'
            """procedure_code = { from = "codes", strip = ' *\\([^)]*\\)', split = "array" }\n"""
            """minutes = { from = "codes", strip = '\\d+ \\(| min\\)', split = "array" }\n"""
        )
        loaded = load(tmp_path, toml)
        assert column(loaded, "procedure_code, minutes", "note_blocks") == [("97110", "25"), ("97112", "15")]

    def test_a_column_without_pieces_stays_empty_and_one_with_fewer_is_a_bad_row(self, tmp_path):
        loaded = self.blocks(tmp_path, "N1,97110|97112,", "N2,97110|97112,10", "N3,97110||97112,1|2|3", "N4,1,1|2")
        assert column(
            loaded, "note_id, piece, procedure_code, minutes, read_problem, problem_column", "note_blocks"
        ) == [
            ("N1", 1, "97110", None, None, None),
            ("N1", 2, "97112", None, None, None),
            ("N2", 0, None, None, "pieces_do_not_match", "mins"),
            ("N3", 1, "97110", "1", None, None),
            ("N3", 2, None, "2", None, None),
            ("N3", 3, "97112", "3", None, None),
            ("N4", 0, None, None, "pieces_do_not_match", "codes"),
        ]

    def test_a_parquet_list_is_split_too(self, tmp_path):
        (tmp_path / "claims.csv").write_text(",".join(REQUIRED) + "\n")
        table = pa.table({"note": ["N1"], "codes": [["97110", "97112"]], "mins": [[10, 20]]})
        pq.write_table(table, tmp_path / "note_blocks.parquet")
        toml = (
            '[note_blocks.columns]\nnote_id = "note"\nblock_number = { number_within = ["note"] }\n'
            'procedure_code = { from = "codes", split = "array" }\n'
            'minutes = { from = "mins", split = "array" }\n'
        )
        loaded = load(tmp_path, toml)
        assert column(loaded, "procedure_code, minutes", "note_blocks") == [("97110", "10"), ("97112", "20")]


class TestFilters:
    @pytest.mark.parametrize(
        ("test", "kept"),
        [
            ('is = "P"', ["1"]),
            ('is = ["P", "it\'s"]', ["1", "3"]),
            ('is_not = ["P"]', ["2", "3", "4"]),
            ("is_blank = true", ["4"]),
            ("is_blank = false", ["1", "2", "3"]),
            ("matches = '^[Pp]$'", ["1", "2"]),
            ("matches = '(?i)p'", ["1", "2"]),
            ("matches_not = 'P'", ["2", "3", "4"]),
        ],
    )
    def test_rows_kept_and_counted(self, tmp_path, test, kept):
        more = f'[[claims.where]]\ncolumn = "b"\n{test}\n'
        loaded = claims(tmp_path, "a,b", "1, P ", "2,p", "3,it's", "4, ", columns='claim_id = "a"', more=more)
        assert column(loaded, "claim_id") == kept
        counted = loaded.execute("SELECT rows_in_file, rows_filtered FROM filtered_count").fetchall()
        assert counted == [(4, 4 - len(kept))]

    def test_several_must_all_hold_and_a_bad_row_is_never_filtered(self, tmp_path):
        more = '[[claims.where]]\ncolumn = "a"\nis = 1\n[[claims.where]]\ncolumn = "b"\nis = 2\n'
        loaded = claims(tmp_path, "a,b", "1,2", "1,3", "2,2", "1", columns='claim_id = "a"', more=more)
        assert column(loaded, "claim_id, read_problem") == [("1", None), ("1", "too_few_cells")]


class TestEncodings:
    """An umlaut, a curly quote and a dash as each encoding writes them."""

    HEADER = "claim_id,a"
    TOML = '[claims]\nencoding = "ENCODING"\n[claims.columns]\nclinic_id = "a"\n' + "\n".join(
        f'{one} = {{ constant = "1" }}' for one in REQUIRED[1:]
    )

    def loaded(self, folder: Path, content: bytes, encoding: str):
        (folder / "claims.csv").write_bytes(content)
        return load(folder, self.TOML.replace("ENCODING", encoding))

    @pytest.mark.parametrize(
        ("encoding", "python", "cell"),
        [
            ("utf-8", "utf-8", "Köln – ’s"),
            ("cp1252", "cp1252", "Köln – ’s"),
            ("Windows-1252", "cp1252", "Köln – ’s"),
            ("latin-1", "latin-1", "Köln"),
            ("iso-8859-1", "latin-1", "Köln"),
            ("utf-16", "utf-16", "Köln – ’s 𝄞"),
            ("utf-16", "utf-16-le", "Köln – ’s"),
            ("utf-16", "utf-16-be", "Köln – ’s"),
        ],
    )
    def test_are_read(self, tmp_path, encoding, python, cell):
        text = f"{self.HEADER}\r\nC1,{cell}\r\nC2,x\r\n"
        loaded = self.loaded(tmp_path, text.encode(python), encoding)
        assert column(loaded, "claim_id, clinic_id, source_line") == [("C1", cell, 2), ("C2", "x", 3)]

    @pytest.mark.parametrize(("encoding", "python"), [("cp1252", "cp1252"), ("utf-16", "utf-16")])
    def test_a_letter_over_the_edge_of_a_block(self, tmp_path, monkeypatch, encoding, python):
        monkeypatch.setattr("transforms.extract.csv.lines.BLOCK_BYTES", 7)
        rows = [f"C{number},ü–{number}" for number in range(50)]
        text = "\n".join([self.HEADER, *rows]) + "\n"
        loaded = self.loaded(tmp_path, text.encode(python), encoding)
        assert column(loaded, "clinic_id") == [f"ü–{number}" for number in range(50)]

    def test_of_each_table_its_own(self, tmp_path):
        (tmp_path / "claims.csv").write_bytes(
            (",".join(REQUIRED) + "\nC1,1,P1,Köln,2026-01-05,97110,1\n").encode("cp1252")
        )
        (tmp_path / "notes.csv").write_text(
            "note_id,patient_id,service_date,provider_id,discipline\nN1,P1,2026-01-05,Jörg,PT\n", encoding="utf-8"
        )
        loaded = load(tmp_path, '[claims]\nencoding = "cp1252"\n')
        assert column(loaded, "payer_id") == ["Köln"] and column(loaded, "provider_id", "notes") == ["Jörg"]

    @pytest.mark.parametrize(
        ("encoding", "content", "said"),
        [
            ("cp1252", "Köln".encode(), "claims.csv: is UTF-8 and not cp1252: take encoding out of the mapping"),
            ("latin-1", "Köln".encode(), "claims.csv: is UTF-8 and not latin-1"),
            ("latin-1", "–".encode("cp1252"), 'claims.csv: line 2: is not latin-1 but very likely Windows text: say'),
            ("utf-16", b"Koeln", "claims.csv: is not utf-16: correct encoding in the mapping"),
        ],
    )  # fmt: skip
    def test_a_wrong_one_is_told(self, tmp_path, encoding, content, said):
        with pytest.raises(InputRejected) as caught:
            self.loaded(tmp_path, self.HEADER.encode() + b"\nC1," + content + b"\n", encoding)
        assert str(caught.value).startswith(said)

    def test_a_utf_16_file_is_told_which_word_to_say(self, tmp_path):
        with pytest.raises(InputRejected, match='say encoding = "utf-16" in a mapping'):
            self.loaded(tmp_path, f"{self.HEADER}\nC1,x\n".encode("utf-16"), "cp1252")

    def test_a_utf_16_file_that_is_cut_off(self, tmp_path):
        with pytest.raises(InputRejected, match="ends in the middle of a character"):
            self.loaded(tmp_path, f"{self.HEADER}\nC1,x\n".encode("utf-16")[:-1], "utf-16")

    def test_a_byte_without_a_meaning_costs_its_row_alone(self, tmp_path):
        content = self.HEADER.encode() + b"\nC1,K\xf6ln\nC\x812,x\nC3,y\n"
        loaded = self.loaded(tmp_path, content, "cp1252")
        assert column(loaded, "claim_id, read_problem") == [("C1", None), (None, "not_utf8"), ("C3", None)]


class TestFiles:
    def test_the_mappings_glob_names_the_files(self, tmp_path):
        for name in ("b2.csv", "b1.csv", "claims.csv", "sub/b3.csv"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(",".join(REQUIRED) + "\n")
        said = mapping(tmp_path, '[claims]\nfiles = "**/b*.csv"\n')
        assert [one.file_name for one in find_inputs(tmp_path, {}, said)] == [
            "b1.csv",
            "b2.csv",
            "sub/b3.csv",
        ]

    def test_a_glob_that_finds_nothing_is_named(self, tmp_path):
        with pytest.raises(UsageProblem, match=r"my\.toml: notes\.files"):
            (tmp_path / "claims.csv").write_text("x\n")
            find_inputs(tmp_path, {}, mapping(tmp_path, '[notes]\nfiles = "visits*"\n'))

    @pytest.mark.parametrize(
        ("toml", "said"),
        [
            (
                '[claims.columns]\nclinic_id = "Site"\n',
                "'Site', which my.toml names in claims.columns.clinic_id",
            ),
            ('[claims.columns]\nclinic_id = {first_of = ["a", "Site"]}\n', "claims.columns.clinic_id"),
            ('[[claims.where]]\ncolumn = "Site"\nis = "a"\n', "claims.where"),
            (
                '[claims.columns]\nclinic_id = {from="a", where={column="Site", is="a"}}\n',
                "claims.columns.clinic_id.where",
            ),
            ('[claims]\ndelimiter = ";"\n', "looks comma-separated"),
        ],
    )
    def test_a_column_that_the_file_lacks(self, tmp_path, toml, said):
        (tmp_path / "claims.csv").write_text(",".join(REQUIRED) + ",a\n")
        with pytest.raises(InputRejected) as caught:
            load(tmp_path, toml)
        assert str(caught.value).startswith("claims.csv: ") and said in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("x", "not TOML"),
        ("[claim]\n", "claim: unknown key: did you mean claims?"),
        ("claims = 3\n", "claims: a table is needed"),
        ('[claims]\nfile = "x"\n', "claims.file: unknown key: did you mean files?"),
        ("[claims]\nfiles = 3\n", "claims.files: text is needed"),
        ('[claims]\nfiles = ""\n', "claims.files: a glob"),
        ('[claims]\nfiles = "../x"\n', "claims.files: a glob within"),
        ('[claims]\nfiles = "/x"\n', "claims.files: a glob within"),
        ('[claims]\ndelimiter = ""\n', "claims.delimiter: one character"),
        ("[claims]\ndelimiter = '\"'\n", "claims.delimiter: one character"),
        ('[claims]\ndelimiter = "ab"\n', "claims.delimiter: one character"),
        ('[claims]\nencoding = "ebcdic"\n', "claims.encoding: one of utf-8, cp1252, latin-1, utf-16 is needed"),
        ("[claims]\nencoding = 3\n", "claims.encoding: text is needed"),
        ("[claims]\ncolumns = []\n", "claims.columns: a table is needed"),
        ('[claims.columns]\nclaimid = "x"', "claims.columns.claimid: no column of the contract"),
        ('[claims.columns]\nminutes = "x"\n', "claims.columns.minutes: no column of the contract"),
        ('[claims.columns]\nservice_date = {from = "x", date_formats = "%Y"}', "date_formats: a list"),
        ('[claims.columns]\nservice_date = {from = "x", date_formats = ["%Y-%q"]}', "'%Y-%q' is no"),
        ('[claims.columns]\nservice_date = {from = "x", date_formats = ["%Y-%m-%d%"]}', "is not a known"),
        ('[claims.columns]\nservice_date = {from = "x", date_formats = ["%H:%M"]}\n', "names no whole day"),
        ('[note_blocks.columns]\nstarted_at = {from = "x", date_formats = ["%I:%M"]}\n', "without %p"),
        ('[[claims.where]]\nis = "x"\n', "claims.where[1]: column and exactly one of"),
        ('[[claims.where]]\ncolumn = "x"\n', "claims.where[1]: column and exactly one of"),
        ('[[claims.where]]\ncolumn = "x"\nis = "a"\nis_blank = true\n', "claims.where[1]: column and"),
        ('[[claims.where]]\ncolumn = "x"\nis_blank = "yes"\n', "claims.where[1].is_blank: true or false"),
        ('[[claims.where]]\ncolumn = "x"\nis = []\n', "claims.where[1].is: at least one value"),
        ('[[claims.where]]\ncolumn = "x"\nequals = "a"\n', "claims.where[1].equals: unknown key"),
        ('[[claims.where]]\ncolumn = "x"\nmatches = "("\n', "claims.where[1].matches: '(' cannot be used"),
        ('[[claims.where]]\ncolumn = "x"\nmatches_not = ["a"]\n', "claims.where[1].matches_not: a pattern in quotes"),
        ('[[claims.where]]\ncolumn = "x"\nmatches = "a"\nis = "b"\n', "claims.where[1]: column and exactly one of"),
        ("[claims]\nwhere = 3\n", "claims.where[1]: a table is needed"),
        ('[claims.columns]\nclaim_type = {constant = "a\\u0000"}\n', "claim_type.constant: holds the character NUL"),
        ('[claims]\nfiles = "a\\u0000"\n', "claims.files: holds the character NUL"),
        ('[[claims.where]]\ncolumn = "x"\nis = ["a", "\\u0000"]\n', "claims.where[1].is[2]: holds the character NUL"),
        ('[claims.columns.claim_id]\nfrom = "x"\nvalues = {"a\\u0000" = "b"}\n', "holds the character NUL"),
        (f"[claims.columns]\nclaim_id = {{constant = {'9' * 5000}}}\n", "a number of thousands of digits: write it as"),
        (f"[claims.columns]\nclaim_id = {{constant = 0x{'9' * 5000}}}\n", "claim_id.constant: is a number"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_file_and_the_key(tmp_path, toml, said):
    with pytest.raises(UsageProblem) as caught:
        mapping(tmp_path, toml)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'my.toml'}: ") and said in message and "\n" not in message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("3", ": a column name or a table"),
        ('""', ".from: column names"),
        ("{}", ": exactly one of"),
        ('{frm = "x"}', ".frm: unknown key: did you mean from?"),
        ('{from = "x", constant = "y"}', ": exactly one of"),
        ('{from = "x", with = ";"}', ".with: unknown key"),
        ('{join = "x"}', ".join: column names"),
        ("{join = []}", ".join: column names"),
        ('{join = ["a", "A"]}', ".join: names a column twice"),
        ('{join = ["a"], with = 3}', ".with: text is needed"),
        ("{constant = [1]}", ".constant: one plain value"),
        ("{by_first_of = 3}", ".by_first_of: a table"),
        ('{from = "x", other = "y"}', ".other: has no meaning"),
        ('{from = "x", values = {}}', ".values: at least one"),
        ('{from = "x", split = "list"}', ".split: only 'array'"),
        ('{from = "x", last_characters = 0}', ".last_characters: a whole number"),
        ('{from = "x", date_formats = ["%Y%m%d"]}', ".date_formats: '%Y%m%d' is for"),
        (
            '{from = "x", strip = "(?=a)"}',
            ".strip: '(?=a)' cannot be used as a pattern (invalid perl operator: (?=)",
        ),
        ('{from = "x", strip = ""}', ".strip: is empty"),
        ('{from = "x", strip = 3}', ".strip: a pattern in quotes"),
        (f'{{from = "x", strip = "{"a" * 1001}"}}', ".strip: is longer than 1000 characters"),
        ('{from = "x", replace = "a"}', ".replace: a table of patterns"),
        ('{from = "x", replace = {}}', ".replace: at least one pattern"),
        ('{from = "x", replace = {"[" = "a"}}', ".replace.[: '[' cannot be used"),
        ('{from = "x", replace = {"a" = ["b"]}}', ".replace.a: one plain value"),
        ('{join = ["x"], strip = "a"}', ".strip: unknown key"),
    ],
)
def test_a_mistake_in_a_column_names_it(tmp_path, source, said):
    with pytest.raises(UsageProblem) as caught:
        mapping(tmp_path, f"[claims.columns]\nclaim_id = {source}\n")
    assert f"my.toml: claims.columns.claim_id{said}" in str(caught.value)


def test_a_mapping_that_cannot_be_opened(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"# \xff\n")
    for path, said in (
        (tmp_path / "none.toml", "cannot be read"),
        (tmp_path, "cannot be read"),
        (tmp_path / "latin.toml", "not UTF-8"),
    ):
        with pytest.raises(UsageProblem, match=said):
            load_mapping(path)


def test_every_shipped_mapping_is_valid_and_in_the_manual():
    manual = (ROOT / "docs" / "mapping.md").read_text()
    for path in (ROOT / "data" / "mappings").glob("*.toml"):
        assert load_mapping(path).tables
        assert f"`data/mappings/{path.name}`" in manual


@pytest.mark.skipif(not TUVA.is_dir(), reason="the Tuva claim seed is not beside this checkout")
def test_the_tuva_seed_comes_through_line_by_line():
    said = load_mapping(ROOT / "data" / "mappings" / "tuva_medical_claim.toml")
    loaded = open_database()
    load_extracts(loaded, find_inputs(TUVA, {}, said), said)
    total = "SELECT count(*), count(read_problem), count(DISTINCT claim_id || '#' || line_number) FROM raw_claims"
    assert loaded.execute(total).fetchall() == [(2075, 0, 2075)]
    assert inferred(loaded) == [
        ("billing_provider_id", "facility_npi", 500),
        ("procedure_code", "revenue_center_code", 127),
        ("service_date", "claim_start_date", 500),
    ]
    therapy = loaded.execute(
        "SELECT procedure_code, billed_units, service_date, service_date_basis, modifiers, payer_id, "
        "charge_usd "
        "FROM raw_claims WHERE claim_id = '1694912' AND line_number IN ('6', '14') ORDER BY procedure_code"
    ).fetchall()
    assert therapy == [
        ("97110", "2", "2017-06-17", "claim", "GP", "MEDICARE", None),
        ("97535", "1", "2017-06-17", "claim", "GP;59", "MEDICARE", None),
    ]
