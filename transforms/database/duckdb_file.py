"""Opens DuckDB as every run needs it: quiet, local, shut off from all that the run does not name, and locked so.

Source of the settings: DuckDB's "Securing DuckDB", as tried on 1.5.5. What they hold back and what not: SECURITY.md.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from transforms.database.encryption import attach_encrypted, extension_file
from transforms.database.quoting import text
from transforms.errors import UsageProblem

SETTINGS = {
    "enable_progress_bar": False,  # it would draw on stdout, which is data
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,  # they stand in the home folder
    "preserve_insertion_order": True,
    "TimeZone": "UTC",  # no result may depend on the machine's zone
}
#: A database that is thrown away after its run needs no checkpoint, not even when it is closed. Texts are kept as
#: dictionaries, which is soon done and a quarter of the disk.
THROWN_AWAY = (
    "set checkpoint_threshold = '1TB'",
    "set force_compression = 'dictionary'",
    "pragma disable_checkpoint_on_shutdown",
)
#: The name of the working database where it is encrypted, and so attached; it is the one in use.
ENCRYPTED_NAME = "audit"
MEMORY_LIMIT = re.compile(r"[1-9][0-9]{0,8}(\.[0-9]{1,3})? ?([KMGT]i?B)", re.IGNORECASE)
LEAST_MEMORY_BYTES = 100_000_000  # below it no audit ends
UNIT_BYTES = {"K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
#: Of the memory a run may have, what its database is given: what DuckDB holds beside its buffers, and Python, come on
#: top (measured: 18% of the limit, at 6 million visits in 4 GB).
DATABASE_SHARE = 0.75
MOST_THREADS = 1024


def open_database(
    path: Path | str | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
    *,
    reads: Iterable[Path] | None = None,
    writes: Iterable[Path] | None = None,
    temp_directory: Path | None = None,
    key: str | None = None,
    with_encryption: bool = False,
    is_thrown_away: bool = False,
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection to the file `path`, or in memory, that loads nothing and, told so, opens nothing else.

    With `reads` or `writes` no other file and no address can be opened, and the settings are locked: `search_path`,
    `use` and variables alone can still be set. `reads` are files to read, `writes` are folders to read and write in and
    database files to attach. What does not fit into memory goes to `temp_directory`: by default beside a database
    file, and nowhere for a database in memory (DuckDB would take the folder that the user stands in).
    With a `key` the file is an encrypted one, attached as ENCRYPTED_NAME and in use, and what goes to
    `temp_directory` is encrypted too. `with_encryption` only makes ready for attach_encrypted. With `is_thrown_away`
    the file is written quickly and large; that holds for every database attached, so no warehouse may be.
    Raises duckdb.Error when the file cannot be opened, UsageProblem when it cannot be with this key.
    """
    is_attached = path is not None and key is not None
    connection = duckdb.connect(str(path) if path and not is_attached else ":memory:")
    if temp_directory is None and (is_attached or not path):
        temp_directory = ""
    if is_attached:
        writes = [*(writes or ()), path]
    try:
        with_encryption = with_encryption or is_attached
        for statement in THROWN_AWAY if is_thrown_away else ():
            connection.execute(statement)
        harden(connection, threads, memory_limit, reads, writes, temp_directory, with_encryption)
        if is_attached:
            attach_encrypted(connection, Path(path), key, ENCRYPTED_NAME)
            connection.execute(f"use {ENCRYPTED_NAME}")
    except BaseException:
        connection.close()
        raise
    return connection


def harden(
    connection: duckdb.DuckDBPyConnection,
    threads: int | None = None,
    memory_limit: str | None = None,
    reads: Iterable[Path] | None = None,
    writes: Iterable[Path] | None = None,
    temp_directory: Path | str | None = None,
    with_encryption: bool = False,
    is_locked: bool = True,
) -> None:
    """Sets up a connection just opened, as open_database says; raises UsageProblem where a number or the extension
    is not to be had.

    Without `is_locked` what is shut off stays so, and other connections to the same database may still set what is
    theirs alone.
    """
    for name, value in SETTINGS.items():
        # A build without ICU has no TimeZone setting, and then no zone can matter either.
        if name == "TimeZone" and not _has_setting(connection, name):
            continue
        connection.execute(f"set {name} = '{value}'")
    if threads := checked_threads(threads):
        connection.execute(f"set threads = {threads}")
    # Before the limit: opening a file may have read more than the limit holds, and what is over goes there at once.
    if temp_directory is not None:
        connection.execute(f"set temp_directory = {text(str(temp_directory))}")
    if memory_limit := checked_memory_limit(memory_limit):
        connection.execute(f"set memory_limit = {text(memory_limit)}")
    if with_encryption:  # before the access is shut off: no extension can be loaded then
        connection.execute(f"load {text(str(extension_file()))}")
        connection.execute("set temp_file_encryption = true")
    if reads is not None or writes is not None:
        _shut_off(connection, reads or (), writes or (), is_locked)


def checked_threads(threads: int | None) -> int | None:
    """The number for `open_database`; raises UsageProblem where it is none that DuckDB can work with."""
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise UsageProblem(f"--threads {threads}: must be a whole number from 1 to {MOST_THREADS}")
    return threads


def checked_memory_limit(limit: str | None) -> str | None:
    """The limit for `open_database`, such as 4GB; raises UsageProblem where it is no size, or too small to work in."""
    if limit is None:
        return None
    if not MEMORY_LIMIT.fullmatch(limit.strip()):
        raise UsageProblem(f"--memory-limit {limit!r}: must be a number with its unit, such as 4GB or 512MiB")
    if _size_bytes(limit) < LEAST_MEMORY_BYTES:
        raise UsageProblem(f"--memory-limit {limit}: is too little to audit in; give 100MB or more")
    return limit.strip()


def database_share(limit: str | None) -> str | None:
    """The limit for `open_database` that keeps a whole run within `limit`, a size that checked_memory_limit takes."""
    if limit is None:
        return None
    return f"{max(LEAST_MEMORY_BYTES, int(DATABASE_SHARE * _size_bytes(limit))) // 1000} kB"


def _size_bytes(limit: str) -> float:
    unit = MEMORY_LIMIT.fullmatch(limit.strip()).group(2)
    return float(limit.strip()[: -len(unit)]) * UNIT_BYTES[unit[0].upper()]


def glob_free(path: Path | str) -> str:
    """The path with the characters escaped that DuckDB would take for a glob."""
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in str(path))


def rows_as_dicts(connection, query: str, parameters=None) -> list[dict]:
    """The rows of a query as dicts, in the query's order."""
    cursor = connection.execute(query, parameters or [])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _shut_off(connection, reads: Iterable[Path], writes: Iterable[Path], is_locked: bool) -> None:
    """Leaves open the files and folders named (and what DuckDB adds: its own file and its temporary folder), and
    locks the settings where asked: DuckDB itself never opens again what is shut off."""
    writes = [Path(path).absolute() for path in writes]
    folders = [path for path in writes if path.is_dir()]
    databases = [path for path in writes if not path.is_dir()]
    # DuckDB writes a log beside a database, and at a checkpoint two more.
    ends = ("", ".wal", ".wal.checkpoint", ".wal.recovery", ".tmp")
    files = [Path(path).absolute() for path in reads]
    files += [path.with_name(path.name + end) for path in databases for end in ends]
    connection.execute(f"set allowed_directories = {_texts(folders)}")
    connection.execute(f"set allowed_paths = {_texts(files)}")
    connection.execute("set enable_external_access = false")
    if is_locked:
        connection.execute("set lock_configuration = true")


def _has_setting(connection, name: str) -> bool:
    found = connection.execute(f"select count(*) from duckdb_settings() where lower(name) = lower({text(name)})")
    return found.fetchone()[0] > 0


def _texts(paths: Iterable[Path]) -> str:
    # DuckDB compares what it is asked for, and that is escaped where a name looks like a glob. It cannot be asked
    # for a path that is not UTF-8: such files are read by Python.
    known = [path for path in paths if not any("\ud800" <= letter <= "\udfff" for letter in str(path))]
    named = dict.fromkeys(form for path in known for form in (str(path), glob_free(path)))
    return f"[{', '.join(text(one) for one in named)}]"
