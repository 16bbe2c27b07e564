"""What somebody could put into an extract, its name, its folder, a mapping or a table, and what comes of it."""

import os
import re
import time
import tracemalloc
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli_runs import audit, day, minutewise, published, refused, write, write_days
from transforms.database.duckdb_file import open_database
from transforms.errors import InputRejected, UsageProblem
from transforms.extract import find_inputs, load_mapping
from transforms.extract.csv import header as csv_header
from transforms.extract.csv import reader as csv_reader
from transforms.extract.parquet.limits import refuse_bomb
from transforms.extract.places import require_apart

SQL = "x'; drop table ok_claims; --"
DOUBLE = 'x"); drop table raw_claims; --'
NASTY = (SQL, DOUBLE, "'; attach '/tmp/x.db' as x; --", "{batch}", ":patient", "%s", "$1", "<script>alert(1)</script>")
FORMULAS = ("=1+1", "=HYPERLINK(0)", "+1", "-1+2", "@SUM(1)", "\t=1+1", "=cmd|' /C calc'!A0")


@pytest.fixture
def extracts(tmp_path) -> Path:
    folder = tmp_path / "extracts"
    folder.mkdir()
    return write_days(folder, *(day(number, claims_units=4) for number in range(1, 5)))


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def rows(out: Path, name: str) -> list[dict]:
    (run,) = (out / "runs").iterdir()
    return pq.read_table(run / f"{name}.parquet").to_pylist()


class TestPlaces:
    """Paths that lead elsewhere, and things that are no files."""

    @pytest.mark.parametrize("claims", ["../..", "..", "/", "/dev/null", "/proc/self/mem", "../../etc/*", "\0", "a\nb"])
    def test_a_path_that_is_no_extract(self, extracts, out, claims):
        ran = audit(extracts, out, "--claims", claims)
        assert ran.code in (2, 3) and "Traceback" not in ran.err
        assert ran.err.count("\n") == 1 or "\n" in claims
        assert published(out) == ([], None)

    @pytest.mark.parametrize("files", ["../secret/claims*.csv", "../**/claims*.csv", "/etc/*", "../../*"])
    def test_a_mapping_does_not_reach_out_of_the_folder(self, tmp_path, extracts, out, files):
        write(tmp_path / "secret/claims.csv", (extracts / "claims.csv").read_bytes())
        mapping = write(tmp_path / "map.toml", f'[claims]\nfiles = "{files}"\n')
        refused(audit(extracts, out, "--mapping", mapping), 2, out=out)

    @pytest.mark.parametrize("is_folder", [False, True])
    def test_a_link_out_of_the_folder_is_refused(self, tmp_path, extracts, out, is_folder):
        secret = write(tmp_path / "secret/claims.csv", (extracts / "claims.csv").read_bytes())
        (extracts / "claims.csv").unlink()
        more = []
        if is_folder:
            (extracts / "part").symlink_to(secret.parent)
            more = ["--mapping", write(tmp_path / "map.toml", '[claims]\nfiles = "part/*.csv"\n')]
        else:
            (extracts / "claims.csv").symlink_to("../secret/claims.csv")
        refused(audit(extracts, out, *more), 2, "claims.csv: leads out of", "--claims", out=out)
        # Who names the file itself has decided so.
        assert audit(extracts, out, "--claims", secret).code == 0

    def test_a_link_out_of_the_folder_of_a_glob_is_refused(self, tmp_path, extracts, out):
        (tmp_path / "secret").write_text("a,b\n1,2\n")
        (extracts / "claims9.csv").symlink_to(tmp_path / "secret")
        refused(audit(extracts, out, "--claims", extracts / "claims*.csv"), 2, "claims9.csv: leads out of", out=out)

    def test_a_link_named_itself_and_one_within_the_folder_are_followed(self, tmp_path, extracts):
        (tmp_path / "latest.csv").symlink_to(extracts / "claims.csv")
        (extracts / "claims2.csv").symlink_to("claims.csv")
        (tmp_path / "link").symlink_to(extracts)
        assert len(find_inputs(None, {"claims": str(tmp_path / "latest.csv")})) == 1
        assert len(find_inputs(tmp_path / "link")) == 4

    def test_links_in_a_circle(self, extracts, out):
        (extracts / "claims2.csv").symlink_to("claims3.csv")
        (extracts / "claims3.csv").symlink_to("claims2.csv")
        refused(audit(extracts, out), 2, "claims", out=out)

    @pytest.mark.parametrize("kind", ["pipe", "device"])
    def test_what_would_never_end_is_not_opened(self, extracts, out, kind):
        place = extracts / "claims2.csv"
        if kind == "pipe":
            os.mkfifo(place)
            told = "not a regular file"
        else:
            place.symlink_to("/dev/zero")
            told = "leads out of"
        refused(audit(extracts, out), 2, told, out=out)
        refused(audit(extracts, out, "--claims", place), 2, "not a regular file", out=out)

    def test_the_output_is_not_the_folder_of_the_extracts(self, tmp_path, extracts):
        (tmp_path / "linked").symlink_to(extracts)
        for out in (extracts, extracts / ".." / extracts.name, tmp_path / "linked"):
            with pytest.raises(UsageProblem, match="is the folder of the extracts"):
                require_apart(extracts, out)
        require_apart(extracts, extracts / "out")
        require_apart(extracts, tmp_path / "extracts-out")


class TestNames:
    """A file's name is shown, quoted and never run."""

    @pytest.mark.parametrize(
        "name",
        ["claims'; drop table x;--.csv", 'claims" $(id)`id` %s {0} ?<b>.csv'],
    )
    def test_a_name_is_only_a_name(self, extracts, out, name):
        (extracts / "claims.csv").rename(extracts / name)
        assert audit(extracts, out).code == 0
        assert {row["source_file"] for row in rows(out, "accepted/claims")} == {name}
        (run,) = (out / "runs").iterdir()
        assert "?<b>" not in (run / "report.html").read_text()

    @pytest.mark.parametrize("letters", ["\n", "\r\x1b[31m\u202e\x85\u2028"])
    def test_a_name_cannot_write_lines_of_its_own(self, extracts, out, letters):
        (extracts / "claims.csv").rename(extracts / f"claims{letters}minutewise: all is well.csv")
        assert audit(extracts, out).code == 0
        (shown,) = {row["source_file"] for row in rows(out, "accepted/claims")}
        assert not set(letters[:2]) & set(shown) and shown.endswith("minutewise: all is well.csv")
        os.mkfifo(extracts / f"claims{letters}pipe.csv")
        ran = audit(extracts, out)
        assert ran.code == 2 and ran.err.count("\n") == 1 and not set(letters[:2]) & set(ran.err.rstrip("\n"))

    def test_two_names_that_look_the_same(self, extracts, out):
        for name in ("claims\n.csv", "claims\\n.csv"):
            write(extracts / name, (extracts / "claims.csv").read_bytes())
        refused(audit(extracts, out), 2, "two files are shown by this name", out=out)


class TestCells:
    """Cells and headers are data, whatever they look like."""

    def test_sql_in_every_cell_and_header(self, tmp_path, out):
        visits = []
        for number, nasty in enumerate((*NASTY, *FORMULAS), 1):
            line, note, block = day(number, claims_units=4)
            named = {"patient_id": f"P{number}{nasty.strip()}", "clinic_id": nasty}
            line |= named | {"claim_id": f"C{number}{nasty.strip()}", "diagnosis_codes": nasty}
            note |= named | {"note_id": f"N{number}{nasty.strip()}", "narrative": nasty, "cap_justification": nasty}
            visits.append((line, note, block | {"note_id": note["note_id"], "description": nasty, "goal": nasty}))
        extracts = write_days(tmp_path, *visits)
        claims = extracts / "claims.csv"
        header, *lines = claims.read_text().splitlines()
        more = ['"' + name.replace('"', '""') + '"' for name in (SQL, DOUBLE, "=1+1", "raw_claims", "rowid")]
        text = [",".join([header, *more]), *(f"{line},a,b,c,d,e" for line in lines)]
        claims.write_text("\n".join(text) + "\n")
        assert audit(extracts, out, "--workbook-rows", 50).code == 0
        assert len(rows(out, "accepted/claims")) == len(visits)
        found = rows(out, "findings")
        assert {row["patient_id"] for row in found} == {line["patient_id"] for line, _, _ in visits}
        (run,) = (out / "runs").iterdir()
        page = (run / "report.html").read_text()
        assert "<script>alert" not in page
        sheets = openpyxl.load_workbook(run / "findings.xlsx")
        assert {cell.data_type for sheet in sheets for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d", "b"}
        explained = minutewise("explain", out, found[0]["finding_id"])
        assert explained.code == 0 and "Traceback" not in explained.err

    def test_sql_in_a_mapping_a_reference_table_and_a_crosswalk(self, tmp_path, extracts, out):
        def quoted(text: str) -> str:
            return '"' + text.replace('"', '""') + '"'

        claims = extracts / "claims.csv"
        claims.write_text(claims.read_text().replace("patient_id", quoted(DOUBLE), 1))
        mapping = write(tmp_path / "map.toml", f"[claims.columns]\npatient_id = '{DOUBLE}'\n")
        text = "payer_id,counting_method,follows_mue,effective_from,effective_to,citation,last_checked_on\n"
        payers = [f"{quoted(nasty)},ama_midpoint,false,2026-01-01,,{quoted(nasty)},2026-01-15\n" for nasty in NASTY]
        write(tmp_path / "reference/payer_method.csv", text + "".join(payers))
        pairs = [f"{quoted(nasty)},{quoted(nasty)}\n" for nasty in NASTY]
        write(tmp_path / "walk/patient.csv", "notes_id,claims_id\n" + "".join(pairs))
        more = ["--mapping", mapping, "--reference", tmp_path / "reference", "--crosswalk", tmp_path / "walk"]
        assert audit(extracts, out, *more).code == 0
        assert len(rows(out, "accepted/claims")) == 4
        assert {row["payer_id"] for row in rows(out, "accepted/ref_payer_method")} >= set(NASTY)

    @pytest.mark.parametrize(
        "content", [b"", b"\0" * 100, b"\xff\xfea", b'a,"b\n' * 9, b"PAR1", b"," * 200_000, b"a\rb"]
    )
    @pytest.mark.parametrize("where", ["reference/payer_method.csv", "walk/patient.csv", "map.toml"])
    def test_a_small_file_of_anything(self, tmp_path, extracts, out, where, content):
        place = write(tmp_path / where, content)
        option = {"reference": "--reference", "walk": "--crosswalk"}.get(place.parent.name, "--mapping")
        ran = audit(extracts, out, option, place if option == "--mapping" else place.parent)
        # An empty mapping maps nothing, which is no mistake.
        assert ran.code == (0 if (content, option) == (b"", "--mapping") else 2), ran.err
        assert ran.code == 0 or (ran.err.count("\n") == 1 and len(ran.err) < 2000)


def load(path: Path):
    """What the reader makes of a CSV file: (rows, bad rows) of a connection without any file access."""
    shape = csv_header.read_shape(path, path.name, ",")
    with open_database(reads=[]) as con:
        csv_reader.load_csv(con, "file_1", path, shape, {shape.columns[0]}, set(), set())
        return con.execute("select count(*), count(read_problem) from file_1").fetchone()


class TestCsv:
    """CSV that is no CSV: each row is read, set aside or the file refused, within bounds of time and memory."""

    @pytest.mark.parametrize(
        ("content", "held"),
        [
            (b'a,b\n1,"2\n3,4\n5,6\n', (3, 1)),  # a quote that is never closed costs its own line
            (b'a,b\n"1,2\n"3,4\n', (2, 2)),
            (b"a,b\n1\0,2\n3,4\n", (2, 1)),
            (b"a,b\n\xef\xbb\xbf1,2\n3,4\n", (2, 0)),  # a mark in the middle, as files put together have
            (b"\xef\xbb\xbfa,b\n1,2\n", (1, 0)),
            (b"a,b\r1,2\r3,4\r", (2, 0)),
            (b"a,b\r\n1,2\n3,4\r\n", (2, 0)),
            (b"a,b\n1,2\r3,4\n", (1, 1)),  # nobody can say whether this is one row or two
            (b"a,b\n1,2,3\n4\n5,6\n", (3, 2)),
            (b"a,b\n\xff,2\n3,4\n", (2, 1)),
            (b"a,b\n" + b'"' * 99_999 + b"\n3,4\n", (2, 1)),
        ],
    )
    def test_one_bad_row_is_one_bad_row(self, tmp_path, content, held):
        assert load(write(tmp_path / "claims.csv", content)) == held

    def test_a_line_of_a_hundred_megabytes_takes_no_such_memory(self, tmp_path):
        path = tmp_path / "claims.csv"
        with path.open("wb") as file:
            file.write(b"a,b\n")
            for _ in range(100):
                file.write(b"x" * 1_000_000)
            file.write(b"\n1,2\n")
        tracemalloc.start()
        try:
            assert load(path) == (2, 1)
            assert tracemalloc.get_traced_memory()[1] < 80_000_000
        finally:
            tracemalloc.stop()

    def test_a_header_without_an_end(self, tmp_path):
        path = write(tmp_path / "claims.csv", b"a," * 9_000_000)
        with pytest.raises(InputRejected, match="longer than any header"):
            load(path)

    def test_columns_have_a_number_that_is_told(self, tmp_path, out):
        def wide(count: int) -> Path:
            names = ",".join(f"c{place}" for place in range(count))
            return write(tmp_path / "claims.csv", f"{names}\n{',' * (count - 1)}\n")

        assert load(wide(csv_header.MOST_COLUMNS))[0] == 1
        started = time.monotonic()
        refused(audit(wide(50_000).parent, out), 3, "claims.csv: header: has 50000 columns", "2000 at most", out=out)
        assert time.monotonic() - started < 10

    def test_quotes_cannot_ask_for_days(self, tmp_path, monkeypatch):
        # Every line opens a cell and goes on into all lines below it, until the columns are too many.
        names = ",".join(f"c{place}" for place in range(500))
        path = write(tmp_path / "claims.csv", names + "\n" + '5","\n' * 400)
        assert load(path) == (400, 400)
        monkeypatch.setattr(csv_reader, "MOST_LOOKS_IN_VAIN", 10_000)
        with pytest.raises(InputRejected, match="too many quotes open and do not close"):
            load(path)

    def test_long_notes_are_not_looked_at_in_vain(self, tmp_path, monkeypatch):
        monkeypatch.setattr(csv_reader, "MOST_LOOKS_IN_VAIN", 10)
        rows = [f'{number},"first\nsecond, with a comma\nthird"\n' for number in range(100)]
        assert load(write(tmp_path / "notes.csv", "a,b\n" + "".join(rows))) == (100, 0)


class TestParquet:
    """Parquet that declares what it does not hold."""

    def bomb(self, path: Path, rows: int) -> Path:
        column = pa.array(["x"]).dictionary_encode()
        many = pa.DictionaryArray.from_arrays(pa.array([0]).take(pa.array([0] * rows)), column.dictionary)
        pq.write_table(pa.table({"claim_id": many}), path, compression="zstd")
        return path

    def test_rows_beyond_all_bytes(self, tmp_path):
        path = self.bomb(tmp_path / "claims.parquet", 1_000_001)
        assert path.stat().st_size < 10_000
        with (
            open_database(reads=[path]) as con,
            pytest.raises(
                InputRejected, match=r"claims\.parquet: declares 1,000,001 rows .* need a tenth of a byte each"
            ),
        ):
            refuse_bomb(con, path, path.name)

    def test_as_many_rows_as_any_machine_reads_and_rows_that_differ(self, tmp_path):
        """Without the limit a file of 65 kB could hold 3 million rows that are all alike, which take 4 GB to read."""
        few = self.bomb(tmp_path / "claims.parquet", 1_000_000)
        sequence = pa.array([f"{number:07}" for number in range(1_000_001)])
        pq.write_table(pa.table({"claim_id": sequence}), tmp_path / "notes.parquet", compression="zstd")
        for path in (few, tmp_path / "notes.parquet"):
            with open_database(reads=[path]) as con:
                refuse_bomb(con, path, path.name)

    def test_bytes_beyond_all_packing(self, tmp_path, monkeypatch):
        monkeypatch.setattr("transforms.extract.parquet.limits.SMALL_BYTES", 1_000_000)
        path = tmp_path / "claims.parquet"
        table = pa.table({"claim_id": ["0" * 20_000_000 + str(number) for number in range(2)]})
        pq.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)
        with open_database(reads=[path]) as con, pytest.raises(InputRejected, match="bytes packed into"):
            refuse_bomb(con, path, path.name)

    def test_an_honest_file_passes(self, tmp_path):
        path = tmp_path / "claims [1].parquet"
        names = [f"P{number}" for number in range(50_000)]
        pq.write_table(pa.table({"patient_id": names, "clinic_id": ["main"] * 50_000}), path, compression="zstd")
        with open_database(reads=[path]) as con:
            refuse_bomb(con, path, path.name)

    @pytest.mark.parametrize("kept", [4, 12, 200, -1, -9])
    def test_a_file_that_is_cut_off(self, extracts, out, kept):
        held = pq.ParquetFile(self.bomb(extracts / "claims.parquet", 100)).schema_arrow
        assert held.names == ["claim_id"]
        (extracts / "claims.csv").unlink()
        write(extracts / "claims.parquet", (extracts / "claims.parquet").read_bytes()[:kept])
        refused(audit(extracts, out), 3, "claims.parquet: ", out=out)

    @pytest.mark.parametrize("patient", [{"a": 1}, [[1]], b"\xff\xff", [{"a": "b"}]])
    def test_nested_values(self, tmp_path, extracts, out, patient):
        with duckdb.connect() as con:
            rows = con.execute("select * from read_csv(?, all_varchar = true)", [str(extracts / "claims.csv")])
            table = rows.to_arrow_table()
        place = table.column_names.index("patient_id")
        table = table.set_column(place, "patient_id", pa.array([patient] * table.num_rows))
        (extracts / "claims.csv").unlink()
        pq.write_table(table, extracts / "claims.parquet")
        refused(audit(extracts, out), 3, "claims.parquet: column 'patient_id' holds", out=out)


class TestReadersOfTheReport:
    def test_the_report_loads_and_runs_nothing_from_elsewhere(self, extracts, out):
        assert audit(extracts, out).code == 0
        (run,) = (out / "runs").iterdir()
        page = (run / "report.html").read_text()
        assert not re.search(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:|//|javascript:)", page, re.IGNORECASE)
        assert not re.search(r"@import|url\(\s*[\"']?(?:https?:|//)", page)


def test_a_mapping_is_read_as_data_only(tmp_path):
    for text in ("[claims]\nfiles = ['a']\n", "[[claims]]\n", "a = 1\n", "x" * 100_000, "[claims]\nfiles = 1e999\n"):
        with pytest.raises(UsageProblem) as problem:
            load_mapping(write(tmp_path / "map.toml", text))
        assert len(str(problem.value)) < 1000
