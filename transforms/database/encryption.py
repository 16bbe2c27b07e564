"""An encrypted DuckDB file: its key, the extension that writes it, and how it is attached.

DuckDB 1.5.5 reads encrypted files by itself and writes them with its httpfs extension only, which the package
duckdb-extension-httpfs of the very same version brings along, so that nothing is fetched. The cipher is AES-GCM.
"""

import os
import stat
from importlib.util import find_spec
from pathlib import Path

import duckdb

from transforms.database.quoting import text
from transforms.errors import Busy, UsageProblem

OPTION = "--warehouse-key-file"
LEAST_KEY_CHARACTERS = 16
MOST_KEY_BYTES = 4096
#: The variable that carries the key into ATTACH: so no SQL text holds it, in no log and in no error.
_VARIABLE = "minutewise_key"
_PACKAGE = "duckdb_extension_httpfs"


def read_key(file: Path, option: str = OPTION, least_characters: int = LEAST_KEY_CHARACTERS) -> str:
    """The key in a file that an option names, blanks and line ends around it cut off.

    Raises UsageProblem, never with the key, for a file that others than its owner can read, that is none, or that
    holds no key of that length.
    """
    where = f"{option} {file}"
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO would wait for its writer
    except OSError as problem:
        raise UsageProblem(f"{where}: cannot be read ({problem.strerror}); check the path and its rights") from None
    try:
        held = os.fstat(handle)
        if not stat.S_ISREG(held.st_mode):
            raise UsageProblem(f"{where}: is not a regular file; write the key into one")
        if stat.S_IMODE(held.st_mode) & 0o077:
            raise UsageProblem(f"{where}: others than its owner can read it; run chmod 600 on it")
        content = os.read(handle, MOST_KEY_BYTES + 1)
    finally:
        os.close(handle)
    try:
        key = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UsageProblem(f"{where}: is not UTF-8 text; write one line such as `openssl rand -hex 32` gives") from None
    if len(content) > MOST_KEY_BYTES or "\n" in key or "\x00" in key:
        raise UsageProblem(f"{where}: holds more than one line; write the key alone into it")
    if len(key) < least_characters:
        raise UsageProblem(f"{where}: its key is shorter than {least_characters} characters; make a longer one")
    return key


def extension_file() -> Path:
    """The file of DuckDB's httpfs extension; raises UsageProblem where it is not installed for this DuckDB."""
    spec = find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
        if file.is_file():
            return file
    raise UsageProblem(
        f"{OPTION}: DuckDB {duckdb.__version__} writes encrypted files only with its httpfs extension, which is not "
        f"here; install duckdb-extension-httpfs=={duckdb.__version__}, or go without a key"
    )


def attach_encrypted(
    connection: duckdb.DuckDBPyConnection, path: Path, key: str, name: str, *, read_only: bool = False
) -> None:
    """Attaches the encrypted database file `path` as `name`, making it where there is none.

    The connection is one of open_database's with a key or `with_encryption`. Raises UsageProblem, never with the
    key, where the file is not encrypted or by another key, Busy where another program has it open.
    """
    options = f"encryption_key getvariable('{_VARIABLE}')" + (", read_only" if read_only else "")
    connection.execute(f"set variable {_VARIABLE} = ?", [key])
    try:
        connection.execute(f"attach {text(str(path))} as {name} ({options})")
    except duckdb.Error as problem:
        raise _told(path, str(problem)) from None
    finally:
        connection.execute(f"reset variable {_VARIABLE}")


def _told(path: Path, problem: str) -> UsageProblem | Busy:
    if "Could not set lock" in problem:
        return Busy(f"{path}: another program has it open; close it there")
    if "Wrong encryption key" in problem:
        return UsageProblem(f"{path}: is encrypted with another key than {OPTION} holds; give that one")
    if "is not encrypted" in problem:
        return UsageProblem(f"{path}: is not encrypted; give a new file, which is then rebuilt, or no {OPTION}")
    return UsageProblem(f"{path}: cannot be opened as an encrypted DuckDB file; check the path and its rights")
