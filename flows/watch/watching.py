"""Watches one audit: what is told while it runs, and what is written and sent when it has ended, well or badly.

Nothing that goes wrong here changes what is published or the exit code: it is a warning on stderr.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from flows.failures import internal_error, system_words
from flows.run.audit import Outcome
from flows.run.run import Run
from flows.run.stages import Stage
from flows.watch.digest import Digest, digest_of, failure_digest
from flows.watch.events import json_log, tell, warn
from flows.watch.notify import tell_block, tell_command
from flows.watch.options import WatchOptions
from flows.watch.progress import Runner, published_counts
from transforms.errors import AuditError

#: Names the run last notified of, below the output folder: the same audit again notifies nobody twice.
NOTIFIED = ".notified"


class Watch:
    """One audit under watch: its runs of stages, then its end."""

    def __init__(self, options: WatchOptions, out: Path):
        self._options = options
        self._out = out
        self._started = time.monotonic()
        self._run: Run | None = None
        self.has_ended = False

    def around(self, run_stage: Runner) -> Runner:
        """The same runner, watched: so the run id and the seconds of its stages are known when it fails."""

        def watched_stage(stage: Stage, run: Run) -> None:
            self._run = run
            run_stage(stage, run)

        return watched_stage

    def ended(self, outcome: Outcome) -> None:
        """Tells of an audit that is published: events, metrics, digest, notifications."""
        self.has_ended = True
        manifest, seconds = outcome.manifest, self._seconds()
        if log := json_log():
            log.run_id, log.stage = manifest["run_id"], None
        for guard in manifest.get("guards", []):
            if guard["did_fire"]:
                said = {"guard": guard["guard"], "overridden": guard["was_overridden"], "message": guard["sentence"]}
                tell("guard_warned", "warning", **said)
        tell(
            "already_published" if outcome.was_published_before else "published",
            "warning" if outcome.exit_code else "info",
            counts=published_counts(manifest),
            seconds=seconds,
            exit_code=outcome.exit_code,
        )
        self._write_metrics(outcome.exit_code, seconds, self._stage_seconds(outcome), manifest)
        if self._options.wants_digest:
            with _only_warned_of("the digest"):
                self._send(digest_of(manifest, outcome.folder), manifest["run_id"], outcome.exit_code)

    def failed(self, problem: BaseException) -> None:
        """Tells of an audit that failed: metrics, digest, notifications. The command line itself tells the event."""
        exit_code, message = told_failure(problem)
        self._write_metrics(exit_code, self._seconds(), self._run.found.seconds if self._run else {}, None)
        if self._options.wants_digest:
            run_id = self._run.found.run_id if self._run else None
            with _only_warned_of("the digest"):
                self._send(failure_digest(exit_code, message), run_id, exit_code, is_failure=True)

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def _stage_seconds(self, outcome: Outcome) -> dict[str, float]:
        """Of this run; where the stages ran out of sight, as the manifest has them, unless an earlier run wrote it."""
        if self._run:
            return self._run.found.seconds
        return {} if outcome.was_published_before else outcome.manifest["seconds"]

    def _write_metrics(self, exit_code: int, seconds: float, stages: dict[str, float], manifest: dict | None) -> None:
        path = self._options.metrics_file
        if path:
            # Imported here: prometheus_client brings an HTTP server along, and most runs write no metrics.
            from flows.watch.metrics import Ended, write_metrics

            with _only_warned_of(f"--metrics-file {path}"):
                write_metrics(path, Ended(time.time(), exit_code, seconds, stages, manifest))

    def _send(self, digest: Digest, run_id: str | None, exit_code: int, is_failure: bool = False) -> None:
        """Writes the digest where asked, and sends it where it is news that nobody has had."""
        options = self._options
        if options.digest_file:
            with _only_warned_of(f"--digest-file {options.digest_file}"):
                _replace(options.digest_file, digest.text)
        is_known = not is_failure and _read(self._out / NOTIFIED) == run_id
        if not options.has_channel or not (options.notify_always or (digest.is_change and not is_known)):
            return
        if self._notify(digest, run_id, exit_code) and not is_failure:
            _replace(self._out / NOTIFIED, f"{run_id}\n")

    def _notify(self, digest: Digest, run_id: str | None, exit_code: int) -> bool:
        """Whether everybody named could be told."""
        options, problems, told = self._options, [], 0
        if options.notify_command:
            problems.append(tell_command(options.notify_words, digest.text, run_id, exit_code))
        if options.notify_block:
            problems.append(tell_block(options.notify_block, digest.text, self._out))
        for problem in problems:
            if problem:
                warn(problem)
            else:
                told += 1
        tell("notified", counts={"told": told, "not_told": len(problems) - told})
        return told == len(problems)


@contextmanager
def watched(options: WatchOptions, out: Path) -> Iterator[Watch]:
    """Watches the audit that runs within the block, which calls `ended`; an exception that leaves it is a failure."""
    watch = Watch(options, out)
    tell("run_started")
    try:
        yield watch
    except BaseException as problem:
        # Stopped while notifying: the audit is published, and no failure.
        if not watch.has_ended:
            watch.failed(problem)
        raise


def told_failure(problem: BaseException) -> tuple[int, str]:
    """The exit code and the one line by which the command line will tell a failure; never a stranger's text."""
    if isinstance(problem, AuditError):
        return problem.exit_code, str(problem)
    if isinstance(problem, click.ClickException):
        return 2, problem.format_message()
    if isinstance(problem, KeyboardInterrupt):
        return 130, "stopped; nothing was published"
    if isinstance(problem, SystemExit):
        return problem.code if isinstance(problem.code, int) else 1, "stopped from outside; nothing was published"
    return 4, internal_error(problem)


@contextmanager
def _only_warned_of(what: str) -> Iterator[None]:
    """Turns whatever goes wrong in the block into a warning, without its text."""
    try:
        yield
    except Exception as problem:
        why = system_words(problem) if isinstance(problem, OSError) else type(problem).__name__
        why = str(problem) if isinstance(problem, AuditError) else why
        warn(f"{what}: could not be written ({why}); the audit itself is not touched by that")


def _replace(path: Path, text: str) -> None:
    """Replaces a small file as a whole; its owner alone may read it."""
    aside = path.with_name(f".{path.name.lstrip('.')}.partial")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    aside.rename(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
