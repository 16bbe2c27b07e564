"""Gives the digest to whom the user named: a program of theirs, or a Prefect notification block.

Both run as processes of their own with a time limit, and what they print is not shown: it could be anything.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from flows.failures import system_words

COMMAND_SECONDS = 60
#: A temporary Prefect server takes up to 120 seconds to start.
BLOCK_SECONDS = 180
#: All that the user's program sees of our environment.
PASSED_ON = ("PATH", "HOME", "LANG")
_ROOT = Path(__file__).resolve().parents[2]


def tell_command(words: list[str], text: str, run_id: str | None, exit_code: int) -> str | None:
    """Runs the user's program with the text on its stdin; None where it ended well, else what went wrong."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"MINUTEWISE_RUN_ID": run_id or "", "MINUTEWISE_EXIT_CODE": str(exit_code)}
    ended = _run(words, text, environment, COMMAND_SECONDS)
    # Its name alone is said: an argument may be a secret.
    return ended and f"--notify-command {Path(words[0]).name}: {ended}"


def tell_block(name: str, text: str, out: Path) -> str | None:
    """Hands the text to a Prefect block (TYPE/NAME), its heading as subject; None, or what went wrong."""
    kept = os.environ.get("PYTHONPATH")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *([kept] if kept else [])])}
    # -P: the folder that the user stands in is no place to import from.
    words = [sys.executable, "-P", "-m", "flows.watch.block", name, str(out)]
    ended = _run(words, text, environment, BLOCK_SECONDS)
    return ended and f"--notify-block {name}: {ended}; try it with Prefect alone (docs/watching.md)"


def _run(words: list[str], text: str, environment: dict[str, str], seconds: int) -> str | None:
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as problem:
        return f"could not be started ({system_words(problem) if isinstance(problem, OSError) else 'a null byte'})"
    try:
        process.communicate(text.encode("utf-8", "backslashreplace"), timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"took more than {seconds} seconds and was ended"
    finally:
        _end(process)
    return f"ended with {process.returncode}" if process.returncode else None


def _end(process: subprocess.Popen) -> None:
    """Ends a program that is still running, with all that it started, on whatever way out of here."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
