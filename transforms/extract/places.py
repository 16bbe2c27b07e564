"""Where the files of an extract may lie, and the names by which people are told of them."""

import os
import unicodedata
from pathlib import Path, PurePosixPath

from transforms.errors import UsageProblem

STEERING = ("Cc", "Cf", "Zl", "Zp")  # Unicode's controls, direction marks and line ends


def require_within(folder: Path, path: Path) -> None:
    """Raises UsageProblem where the path leads out of the folder, by a link or by `..`: who may put links into a
    folder of extracts could have any file of this machine read."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise UsageProblem(
            f"{one_line(path)}: leads out of {one_line(folder)}: name that file itself with --claims, --notes or "
            "--note-blocks, or put a copy there"
        )


def require_apart(extracts: Path, out: Path) -> None:
    """Raises UsageProblem where the output folder is the extracts folder itself: what a run clears is not its source.

    One within the other is harmless: extracts are looked for in their folder alone, and by name.
    """
    if os.path.realpath(extracts) == os.path.realpath(out):
        raise UsageProblem(f"--out {out}: is the folder of the extracts; choose another for what is published")


def shown_names(paths: list[Path], folder: Path | None) -> dict[str, Path]:
    """The names shown to people, each with its path: within the extracts folder where all files are, else below
    their common folder. Raises UsageProblem where two are the same."""
    if not paths:
        return {}
    base = folder
    if base is None or not all(path.is_relative_to(base) for path in paths):
        base = Path(os.path.commonpath([path.parent for path in paths]))
    shown: dict[str, Path] = {}
    for path in paths:
        name = one_line(PurePosixPath(*path.relative_to(base).parts))
        if shown.setdefault(name, path) != path:
            raise UsageProblem(f"{name}: two files are shown by this name: rename one in plain letters")
    return shown


def one_line(path: Path | PurePosixPath | str) -> str:
    """A name as one line that any screen, DuckDB and JSON can hold: what is no UTF-8 (lone surrogates to Python) and
    what steers a screen, a line feed first of all, is written as an escape."""
    name = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        letter.encode("unicode_escape").decode() if unicodedata.category(letter) in STEERING else letter
        for letter in name
    )
