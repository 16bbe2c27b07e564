"""Which files of an extracts folder, or of explicit paths and globs, hold which table."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transforms.contract.fields import TABLES
from transforms.errors import UsageProblem
from transforms.extract.mapping.mapping import Mapping
from transforms.extract.places import one_line, require_within, shown_names

SUFFIXES = {".csv": "csv", ".parquet": "parquet"}
# A delivery that is still packed, or a workbook: to pass it over in silence would audit half a month.
UNREAD_SUFFIXES = (
    ".gz",
    ".zip",
    ".bz2",
    ".xz",
    ".zst",
    ".7z",
    ".xlsx",
    ".xls",
    ".tsv",
    ".txt",
    ".psv",
    ".json",
)
OPTIONS = {"claims": "--claims", "notes": "--notes", "note_blocks": "--note-blocks"}
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class InputFile:
    """One file of one table. `file_name` is the name shown to people: posix, unique within the table.

    `format` is csv or parquet for a file on this machine; uri or table where only Spark can reach it: `path` is then
    the text that Spark knows it by.
    """

    file_number: int
    table_name: str
    file_name: str
    path: Path | str
    sha256: str
    format: str

    @property
    def is_local(self) -> bool:
        """Whether this is a file on this machine."""
        return self.format in SUFFIXES.values()


def find_inputs(
    extracts: Path | None,
    explicit: dict[str, str | None] | None = None,
    mapping: Mapping | None = None,
    needs_claims: bool = True,
    tables: Sequence[str] = TABLES,
) -> list[InputFile]:
    """The files of a run, claims first and by name within a table, each with the digest of its bytes.

    `explicit` holds a path or glob for 'claims', 'notes' or 'note_blocks', and takes the place of the
    folder's files of that table; only files of `tables` are looked for. A table may have no file, claims only where
    `needs_claims` is false. Raises UsageProblem for a missing folder or file, when nothing looks like the claims
    needed, and for a link out of the folder, or out of a glob's: who may put links into a folder of extracts could have
    any file of this machine read.
    """
    explicit = {table: pattern for table, pattern in (explicit or {}).items() if pattern is not None}
    found: list[InputFile] = []
    for table in tables:
        try:
            folder = _folder(extracts)
            paths = _paths(folder, table, explicit, mapping, needs_claims)
        except OSError as problem:
            raise UsageProblem(
                f"{one_line(problem.filename)}: cannot be read ({problem.strerror}): check its rights"
            ) from None
        for shown, path in sorted(shown_names(paths, folder).items()):
            found.append(InputFile(len(found) + 1, table, shown, path, file_sha256(path), _format(path)))
    return found


def _paths(
    folder: Path | None, table: str, explicit: dict[str, str], mapping: Mapping | None, needs_claims: bool
) -> list[Path]:
    if table in explicit:
        return _explicit_paths(table, explicit[table])
    paths = _folder_paths(folder, table, mapping) if folder is not None else []
    if not paths and table == "claims" and needs_claims:
        raise UsageProblem(_no_claims(folder))
    return paths


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex, read in pieces; raises UsageProblem when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while chunk := handle.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as problem:
        raise UsageProblem(
            f"{one_line(path)}: cannot be read ({problem.strerror}): check the path and its rights"
        ) from None
    return digest.hexdigest()


def _folder(extracts: Path | None) -> Path | None:
    if extracts is None:
        return None
    folder = _absolute(Path(extracts))
    if not folder.exists():
        raise UsageProblem(f"{extracts}: no such folder: --extracts names the folder that holds the extracts")
    if not folder.is_dir():
        raise UsageProblem(f"{extracts}: is a file: --extracts names a folder; a single file goes to --claims")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageProblem(f"{extracts}: cannot be read: check its rights")
    return folder


def _folder_paths(folder: Path, table: str, mapping: Mapping | None) -> list[Path]:
    pattern = mapping.files(table) if mapping else None
    if pattern is not None:
        paths = [_checked(path, folder) for path in _glob(folder, pattern)]
        if not paths:
            raise UsageProblem(
                f"{mapping.file_name}: {table}.files: nothing in {folder} matches {pattern!r}: correct the glob"
            )
        return paths
    named = [path for path in folder.iterdir() if path.name.lower().startswith(table)]
    paths = [_checked(path, folder) for path in named if path.suffix.lower() in SUFFIXES]
    _refuse_unread(named, {path.stem.lower() for path in paths})
    return paths


def _refuse_unread(named: list[Path], stems_read: set[str]) -> None:
    for path in sorted(named):
        suffix = path.suffix.lower()
        if suffix in UNREAD_SUFFIXES and path.name.lower().split(".")[0] not in stems_read:
            raise UsageProblem(
                f"{one_line(path)}: {suffix} is not read: unpack or save it as .csv or .parquet, or take it out"
            )


def _explicit_paths(table: str, pattern: str) -> list[Path]:
    option = OPTIONS[table]
    if not str(pattern).strip():
        raise UsageProblem(f"{option}: is empty: give a path or a glob")
    path = Path(pattern)
    if path.is_dir():
        raise UsageProblem(f"{option} {pattern}: is a folder: give a file or a glob such as '{path / '*.csv'}'")
    if path.is_symlink() or path.exists():
        return [_checked(path)]
    # Only what follows the folders that exist is a pattern: they may hold brackets in their names.
    folder = next(parent for parent in path.parents if parent.is_dir() or parent == parent.parent)
    paths = _glob(folder, str(path.relative_to(folder)))
    paths = [match for match in paths if not match.is_dir()]
    if not paths:
        raise UsageProblem(f"{option} {pattern}: no such file: check the path or the glob")
    return [_checked(path, folder) for path in paths]


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        found = sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError):
        raise UsageProblem(f"{pattern!r}: is not a valid pattern: ** must be alone between slashes") from None
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _absolute(path: Path) -> Path:
    # Links are kept: the name shown is the one that the user gave.
    return Path(os.path.normpath(path.absolute()))


def _checked(path: Path, folder: Path | None = None) -> Path:
    if folder is not None:
        require_within(folder, path)
    if path.is_dir():
        hint = f"its parts can be named by a glob such as '{one_line(path / '*.parquet')}'"
        raise UsageProblem(f"{one_line(path)}: is a folder, not a file: {hint}")
    if not path.exists():
        raise UsageProblem(f"{one_line(path)}: is a link to a file that is not there: correct or remove it")
    if not path.is_file():
        raise UsageProblem(f"{one_line(path)}: is not a regular file: give a CSV or Parquet file")
    return _absolute(path)


def _format(path: Path) -> str:
    known = SUFFIXES.get(path.suffix.lower())
    if known:
        return known
    with path.open("rb") as handle:
        return "parquet" if handle.read(4) == b"PAR1" else "csv"


def _no_claims(folder: Path | None) -> str:
    if folder is None:
        return "no claims: name a folder with --extracts, or the claims themselves with --claims"
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    held = (
        "it is empty"
        if not names
        else "it holds " + ", ".join(map(one_line, names[:5])) + (", ..." if names[5:] else "")
    )
    return (
        f"{folder}: no claims*.csv or claims*.parquet ({held}): name the files so, or use --claims, "
        "or a --mapping whose claims.files matches them"
    )
