"""`minutewise verify`: a published run that was changed, cut or added to is told, file by file."""

import json
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.cli import cli
from flows.commands.verify import verify
from flows.disk.durable import sha256
from tests.cli_runs import Ran, as_nobody, audit, day, minutewise, published, refused, write_days


@pytest.fixture(scope="module")
def audited(tmp_path_factory) -> Path:
    """An output folder with two runs; the later one is current."""
    folder = tmp_path_factory.mktemp("audited")
    for number, days in enumerate([[day(1)], [day(1), day(2, claims_units=4), day(2)]]):
        assert audit(write_days(folder / str(number), *days), folder / "out").code == 0
    return folder / "out"


@pytest.fixture
def out(audited, tmp_path, monkeypatch) -> Path:
    """A copy of it, to be spoilt."""
    monkeypatch.setitem(cli.commands, "verify", verify)
    return Path(shutil.copytree(audited, tmp_path / "out"))


def current(out: Path) -> Path:
    return out / "runs" / published(out)[1]


def rewrite_manifest(folder: Path, change) -> None:
    """Changes the manifest as somebody would who wants the hashes to hold."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def told(ran: Ran, out: Path, *lines: str) -> None:
    """Exit 3, these problems of the current run and no others, and what to do."""
    run = published(out)[1]
    assert ran.code == 3, ran.err
    assert ran.out.splitlines() == [f"{run}: {line}" for line in lines]
    assert ran.err.startswith("minutewise: 1 of 1 runs not sound: ") and ran.err.count("\n") == 1
    assert "audit again" in ran.err


class TestSound:
    def test_a_run_as_it_was_published(self, out):
        ran = minutewise("verify", out)
        assert (ran.code, ran.err) == (0, "")
        files = [path for path in current(out).rglob("*") if path.is_file() and path.name != "manifest.json"]
        size = sum(path.stat().st_size for path in files)
        assert ran.out == f"{current(out).name}: sound ({len(files)} files, {size:,} bytes)\n"

    def test_any_run_and_all_runs(self, out):
        runs, _ = published(out)
        for run in runs:
            assert minutewise("verify", out, run).out.startswith(f"{run}: sound")
        document = json.loads(minutewise("verify", out, "--all", "--json").out)
        assert document["is_sound"] and [run["run_id"] for run in document["runs"]] == runs

    def test_it_writes_nothing(self, out):
        before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
        assert minutewise("verify", out, "--all").code == 0
        assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before

    def test_monthly_files(self, out):
        folder = current(out)
        for name, parts in (("units.parquet", "units.parquet"), ("accepted/notes.parquet", "accepted/notes")):
            table = pq.read_table(folder / name)
            (folder / name).unlink()
            (folder / parts).mkdir()
            pq.write_table(table.slice(0, 1), folder / parts / "2026-02.parquet")
            pq.write_table(table.slice(1), folder / parts / "2026-03.parquet")

        def by_month(manifest):
            for name in ("units.parquet", "accepted/notes.parquet"):
                del manifest["files"][name]
            for path in (*folder.glob("units.parquet/*"), *folder.glob("accepted/notes/*")):
                manifest["files"][path.relative_to(folder).as_posix()] = sha256(path)
            manifest["row_counts"] = {"units.parquet/2026-02.parquet": 1, "accepted/notes/2026-02.parquet": 1}

        rewrite_manifest(folder, by_month)
        assert minutewise("verify", out).out.startswith(f"{folder.name}: sound")
        (folder / "accepted" / "notes" / "2026-03.parquet").unlink()
        told(minutewise("verify", out), out, "accepted/notes/2026-03.parquet: is missing")
        rewrite_manifest(folder, lambda manifest: manifest["files"].pop("accepted/notes/2026-03.parquet"))
        assert "accepted/notes.parquet: holds 1 rows; the manifest's counts make 2" in minutewise("verify", out).out


class TestSpoilt:
    def test_one_byte_of_any_file(self, out):
        for path in sorted(current(out).rglob("*")):
            if path.is_dir() or path.name == "manifest.json":
                continue
            content = path.read_bytes()
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            name = path.relative_to(current(out)).as_posix()
            told(minutewise("verify", out), out, f"{name}: was changed since it was published (its sha256 is another)")
            path.write_bytes(content)

    def test_a_file_that_is_missing_or_one_too_many(self, out):
        folder = current(out)
        (folder / "findings.csv").unlink()
        (folder / "accepted" / "evil\nname").write_text("")
        lines = [r"'accepted/evil\nname': is not in the manifest", "findings.csv: is missing"]
        told(minutewise("verify", out), out, *lines)

    def test_a_link_in_the_place_of_a_file_is_not_followed(self, out, tmp_path):
        folder = current(out)
        shutil.move(folder / "findings.csv", tmp_path / "findings.csv")
        (folder / "findings.csv").symlink_to(tmp_path / "findings.csv")
        os.mkfifo(folder / "pipe")
        told(minutewise("verify", out), out, "findings.csv: is not a plain file", "pipe: is not in the manifest")

    @pytest.mark.parametrize(
        ("table", "why"),
        [
            ("findings", "holds 0 rows; the manifest's counts make 1"),
            ("rules", "holds 0 rows; the manifest's counts make 23"),
            ("quarantine", "holds 0 rows; the manifest's counts make 2"),
            ("accepted/notes", "holds 0 rows; the manifest's counts make 2"),
            ("units", None),
        ],
    )
    def test_rows_that_are_gone_with_their_hash_made_right(self, out, table, why):
        folder = current(out)
        path = folder / f"{table}.parquet"
        count = pq.read_metadata(path).num_rows
        pq.write_table(pq.read_table(path).slice(0, 0), path)
        rewrite_manifest(folder, lambda manifest: manifest["files"].update({f"{table}.parquet": sha256(path)}))
        lines = [f"holds 0 rows; the manifest says {count}", *([why] if why else [])]
        if count:
            told(minutewise("verify", out), out, *(f"{table}.parquet: {line}" for line in lines))

    def test_what_is_no_parquet_file(self, out):
        path = current(out) / "units.parquet"
        path.write_bytes(b"PAR1")
        rewrite_manifest(current(out), lambda manifest: manifest["files"].update({"units.parquet": sha256(path)}))
        told(minutewise("verify", out), out, "units.parquet: cannot be read as Parquet")

    def test_counts_that_do_not_reconcile(self, out):
        rewrite_manifest(current(out), lambda manifest: manifest["inputs"][0].update(rows_read=9))
        ran = minutewise("verify", out)
        assert ran.code == 3
        assert "manifest.json: claims.csv: 9 rows read are not 1 accepted + 2 quarantined + 0 duplicate" in ran.out

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("", "is not JSON (line 1, column 1)"),
            ("[]", "the document must be an object"),
            ("{}", "key run_id is missing"),
            (None, "is missing"),
        ],
    )
    def test_a_manifest_that_is_none(self, out, content, why):
        path = current(out) / "manifest.json"
        path.unlink() if content is None else path.write_text(content)
        told(minutewise("verify", out), out, f"manifest.json: {why}, so nothing can be checked")

    def test_a_manifest_with_strange_parts(self, out):
        rewrite_manifest(current(out), lambda manifest: manifest.update(rules=[1]))
        told(minutewise("verify", out), out, "manifest.json: key rules[0] must be an object, so nothing can be checked")

    def test_the_manifest_of_another_run(self, out):
        other = next(run for run in published(out)[0] if run != published(out)[1])
        shutil.rmtree(current(out))
        shutil.copytree(out / "runs" / other, current(out))
        told(minutewise("verify", out), out, "manifest.json: is the manifest of another run")

    def test_a_manifest_names_no_file_outside(self, out, tmp_path):
        (tmp_path / "secret").write_text("secret")
        name = "../../../secret"
        rewrite_manifest(current(out), lambda manifest: manifest["files"].update({name: sha256(tmp_path / "secret")}))
        why = "key files.* must be a path that stays within the run's folder"
        told(minutewise("verify", out), out, f"manifest.json: {why}, so nothing can be checked")


class TestNoRun:
    def test_current_names_a_run_that_is_gone(self, out):
        gone = current(out)
        shutil.rmtree(gone)
        told(minutewise("verify", out), out, "is missing, though `current` names it")
        ran = minutewise("verify", out, "--all")
        assert ran.code == 3 and f"{gone.name}: is missing" in ran.out and ": sound" in ran.out
        (out / "current").write_text("../../elsewhere\n")
        refused(minutewise("verify", out), 2, f"{out / 'current'}: cannot be read as a run id")

    def test_there_is_no_such_run(self, out, tmp_path):
        for run in ("2026-01-01-0123456789ab", "..", ".hidden", "../runs"):
            refused(minutewise("verify", out, run), 2, "there is no such run")
        for nothing in (tmp_path / "nothing", tmp_path):
            refused(minutewise("verify", nothing), 2, "no run is published there")
            refused(minutewise("verify", nothing, "--all"), 2, "no run is published there")
        refused(minutewise("verify", out, "x", "--all"), 2, "not both")

    def test_another_users_folder(self, out):
        (out / "runs").chmod(0)
        try:
            with as_nobody():
                ran = minutewise("verify", out)
        finally:
            (out / "runs").chmod(0o700)
        refused(ran, 2, "cannot be")
