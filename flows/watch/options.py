"""The options by which an unattended audit tells of itself, checked before anything is read."""

import functools
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import click

from flows.option_types import FILE
from transforms.errors import UsageProblem

LOG_FORMATS = ("text", "json")
#: A Prefect block as Block.load wants it: the slug of its type and its own name.
_BLOCK = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class WatchOptions:
    """How an audit is watched; raises UsageProblem for what could never work. None of it changes what is published."""

    log_format: str = "text"
    metrics_file: Path | None = None
    digest_file: Path | None = None
    notify_command: str | None = None
    notify_block: str | None = None
    notify_always: bool = False

    def __post_init__(self):
        if self.log_format not in LOG_FORMATS:
            raise UsageProblem(f"--log-format {self.log_format}: must be {' or '.join(LOG_FORMATS)}")
        if self.metrics_file and self.metrics_file.suffix != ".prom":
            raise UsageProblem(f"--metrics-file {self.metrics_file}: must end in .prom, else node_exporter skips it")
        if self.metrics_file and not self.metrics_file.parent.is_dir():
            # Never made here: node_exporter would not look into it.
            raise UsageProblem(f"--metrics-file {self.metrics_file}: its folder does not exist; make it first")
        for option, path in (("--metrics-file", self.metrics_file), ("--digest-file", self.digest_file)):
            if path and path.is_dir():
                raise UsageProblem(f"{option} {path}: is a folder; name a file")
        self._require_channels()

    def _require_channels(self) -> None:
        if self.notify_command is not None:
            try:
                words = self.notify_words
            except ValueError:
                raise UsageProblem("--notify-command: a quotation mark is not closed") from None
            if not words or not words[0]:
                raise UsageProblem("--notify-command: is empty; give a program and its arguments")
            if not shutil.which(words[0]):
                raise UsageProblem(f"--notify-command: no program {words[0]!r} is here; check its path and rights")
        if self.notify_block is not None and not _BLOCK.fullmatch(self.notify_block):
            raise UsageProblem(
                f"--notify-block {self.notify_block}: write it as TYPE/NAME, say slack-webhook/nightly "
                "(`prefect block ls` shows both)"
            )
        if self.notify_always and not self.has_channel:
            raise UsageProblem(
                "--notify-always needs --notify-command or --notify-block; without one, nobody is notified"
            )

    @property
    def notify_words(self) -> list[str]:
        """The program to start and its arguments; no shell ever sees them."""
        return shlex.split(self.notify_command or "")

    @property
    def has_channel(self) -> bool:
        """Whether anybody is to be notified."""
        return self.notify_command is not None or self.notify_block is not None

    @property
    def wants_digest(self) -> bool:
        return self.digest_file is not None or self.has_channel


_OPTIONS = (
    click.option(
        "--log-format",
        type=click.Choice(LOG_FORMATS),
        default="text",
        show_default=True,
        help="json: every line on stderr is one JSON object (docs/watching.md).",
    ),
    click.option("--metrics-file", type=FILE, help="Write counts for Prometheus here (NAME.prom, for node_exporter)."),
    click.option("--digest-file", type=FILE, help="Write what has changed since the run before here, as Markdown."),
    click.option("--notify-command", metavar="CMD", help="Give the digest to this program on its stdin (no shell)."),
    click.option("--notify-block", metavar="TYPE/NAME", help="Give the digest to this Prefect notification block."),
    click.option("--notify-always", is_flag=True, help="Notify also when nothing has changed."),
)


def watch_options(command: Callable) -> Callable:
    """Adds the options to a click command, which gets them as one argument, `watch`: WatchOptions."""

    @functools.wraps(command)
    def packed(*arguments, **given):
        own = {field.name: given.pop(field.name) for field in fields(WatchOptions)}
        return command(*arguments, watch=WatchOptions(**own), **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed
