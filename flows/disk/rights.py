"""Who may read what a run publishes: its owner alone, or with --group a team too; one place decides modes and group."""

import grp
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from transforms.errors import UsageProblem


@dataclass(frozen=True)
class Rights:
    """The modes of files and folders, and the group they are given to; no `gid`: the group stays as it is."""

    file_mode: int
    folder_mode: int
    gid: int | None = None

    def apply(self, path: Path) -> None:
        """Gives a file, or a folder with all below it, these rights; links are left alone and not followed.

        Raises OSError where it cannot be done.
        """
        self._give(path)
        if path.is_dir() and not path.is_symlink():
            for folder, folders, files in os.walk(path):  # which follows no link
                for name in (*folders, *files):
                    self._give(Path(folder, name))

    def open_way(self, top: Path, path: Path) -> None:
        """Gives the folders' rights to `top` and every folder between it and `path`; raises OSError."""
        for folder in (parent for parent in path.parents if parent.is_relative_to(top)):
            self._give(folder)

    def _give(self, path: Path) -> None:
        kind = path.lstat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return
        # O_NOFOLLOW: what became a link since then is left alone too.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            # The group first: until then nobody new may read it.
            if self.gid is not None and os.fstat(handle).st_gid != self.gid:
                os.fchown(handle, -1, self.gid)
            wanted = self.folder_mode if stat.S_ISDIR(kind) else self.file_mode
            if stat.S_IMODE(os.fstat(handle).st_mode) != wanted:
                os.fchmod(handle, wanted)
        finally:
            os.close(handle)


#: Of a run without --group, and always of the warehouse, the working folder, the lock and the journal.
PRIVATE = Rights(0o600, 0o700)


def rights_for(group: str | None) -> Rights:
    """The rights of what a run publishes; raises UsageProblem for a group that is unknown, or not the user's own."""
    if group is None:
        return PRIVATE
    try:
        gid = grp.getgrnam(group).gr_gid
    except (KeyError, ValueError):
        raise UsageProblem(f"--group {group!r}: no such group on this machine; see them with `getent group`") from None
    if os.geteuid() != 0 and gid not in {os.getegid(), *os.getgroups()}:
        raise UsageProblem(f"--group {group}: you are not in it; see your groups with `id -Gn`")
    return Rights(0o640, 0o750, gid)
