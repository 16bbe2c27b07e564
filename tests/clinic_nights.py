"""A clinic's extracts, audited night after night into a warehouse by the command line, and what that publishes."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from tests.cli_runs import AS_OF, Ran, minutewise, published
from tests.nights.files import make_file

#: The tables that two runs over the same rows in force have to agree on.
PUBLISHED = ("findings", "units", "rules", "quarantine", "accepted/claims", "accepted/notes", "accepted/note_blocks")
#: Where a row stood, by column: the same row may have come in another file.
PLACES = ("sources", "file_number", "source_file", "source_line", "file_name")


@dataclass
class Clinic:
    """One folder of extracts, one output folder and one warehouse, all below `folder`; `more` goes to every night."""

    folder: Path
    more: list[object] = field(default_factory=list)

    @property
    def extracts(self) -> Path:
        return self.folder / "extracts"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def warehouse(self) -> Path:
        return self.folder / "clinic.duckdb"

    def put(self, files: dict[str, list[dict] | None]) -> None:
        """Writes these files into the folder of extracts; None deletes one."""
        self.extracts.mkdir(parents=True, exist_ok=True)
        for name, rows in files.items():
            if rows is None:
                (self.extracts / name).unlink()
            else:
                (self.extracts / name).write_bytes(make_file(name, rows).content)

    def arguments(self, *more: object, as_of: str = AS_OF, command: str = "audit") -> list[object]:
        """The command line of a night."""
        places = [] if command == "rebuild" else ["--extracts", self.extracts]
        return [command, *places, "--out", self.out, "--warehouse", self.warehouse, "--as-of", as_of, *self.more, *more]

    def ran(self, *more: object, **how: str) -> Ran:
        """What came of the command, whatever it is."""
        return minutewise(*self.arguments(*more, **how))

    def night(self, files: dict[str, list[dict] | None] | None = None, *more: object, **how: str) -> dict:
        """Puts the files there, runs a night that has to publish, and gives its manifest."""
        self.put(files or {})
        ran = self.ran(*more, **how)
        assert ran.code == 0, ran.err
        return self.manifest

    @property
    def run(self) -> Path:
        """The folder of the run that is served."""
        return self.out / "runs" / published(self.out)[1]

    @property
    def manifest(self) -> dict:
        return json.loads((self.run / "manifest.json").read_text())

    @property
    def rules(self) -> list[str]:
        """The rule of every finding, as it is published."""
        return sorted(row["rule_id"] for row in pq.read_table(self.run / "findings.parquet").to_pylist())

    @property
    def lives(self) -> dict[str, dict]:
        """The life of each finding by its rule, where every rule has one finding at most."""
        rows = pq.read_table(self.run / "finding_history.parquet").to_pylist()
        assert len({row["rule_id"] for row in rows}) == len(rows)
        return {row["rule_id"]: row for row in rows}

    @property
    def state(self) -> dict:
        """All that this run and another have to agree on: findings, units, rules and rows in force."""
        return state_of(self.run)


def state_of(run: Path) -> dict:
    """Findings, units, rules, rows set aside and accepted rows of a run, without where each row stood in its file."""
    return {name: rows_of(run, name) for name in PUBLISHED}


def rows_of(run: Path, name: str) -> Counter:
    """The rows of one published table, be it a file or a folder of months."""
    single = run / f"{name}.parquet"
    place = single if single.exists() else run / name
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    # In quarantine line_number is the file's; elsewhere it is a claim's.
    places = (*PLACES, "line_number") if name == "quarantine" else PLACES
    return Counter(
        tuple((column, str(value)) for column, value in sorted(row.items()) if column not in places)
        for file in files
        for row in pq.read_table(file).to_pylist()
    )


def plain(folder: Path, extracts: Path, *more: object, as_of: str = AS_OF) -> dict:
    """The state that an audit without a warehouse comes to over these extracts."""
    ran = minutewise("audit", "--extracts", extracts, "--out", folder, "--as-of", as_of, *more)
    assert ran.code == 0, ran.err
    return state_of(folder / "runs" / published(folder)[1])
