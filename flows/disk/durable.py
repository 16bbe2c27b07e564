"""Small steps that reach the disk: a file replaced, a folder removed, each as a whole; a file shared by two runs."""

import errno
import hashlib
import os
import shutil
import stat
from pathlib import Path

from flows.disk.faults import step
from flows.disk.rights import PRIVATE, Rights

#: Endings of names that are never served: what is being written, and what is being removed.
PARTIAL, GONE = ".partial", ".gone"


def link_or_copy(source: Path, target: Path) -> None:
    """Makes `target` the same file as `source`, which must be a published run's: such a file is on the disk already.

    Where the file system has no hard links, or no more of them for this file, it is copied.
    """
    try:
        target.hardlink_to(source)
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOTSUP, errno.ENOSYS):
            raise
        shutil.copyfile(source, target)


def write_durably(subject: str, path: Path, text: str, rights: Rights = PRIVATE) -> None:
    """Replaces a small file as a whole: written aside, fsynced, renamed, its folder fsynced."""
    aside = aside_of(path)
    try:
        aside.touch(mode=PRIVATE.file_mode)
        aside.write_text(text, encoding="utf-8")
        rights.apply(aside)
        with step(subject, "fsync", aside):
            fsync(aside)
        with step(subject, "rename", path):
            aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
    with step(subject, "folder_fsync", path.parent):
        fsync(path.parent)


def remove_folder(subject: str, folder: Path) -> None:
    """Removes a run's folder so that no half of it is ever seen: it is renamed to a hidden name first."""
    gone = folder.with_name(f".{folder.name}{GONE}")
    shutil.rmtree(gone, ignore_errors=True)
    with step(subject, "rename", folder):
        folder.rename(gone)
    with step(subject, "folder_fsync", folder.parent):
        fsync(folder.parent)
    with step(subject, "delete", gone):
        shutil.rmtree(gone)


def aside_of(path: Path) -> Path:
    """Where a file is written before it takes its name."""
    return path.with_name(f".{path.name.lstrip('.')}{PARTIAL}")


def fsync(path: Path) -> None:
    """Returns when the file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """The file's hash, as the manifest gives it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_problem(path: Path, wanted: str) -> str | None:
    """What is wrong with a published file whose hash is known, or None where it is as it was published."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return "is not a plain file"
        return None if sha256(path) == wanted else "was changed since it was published (its sha256 is another)"
    except FileNotFoundError:
        return "is missing"
    except OSError:
        return "cannot be read"
