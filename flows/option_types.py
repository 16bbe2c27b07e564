"""What several commands share: option types, and printing."""

import os
import re
import sys
from datetime import date
from pathlib import Path

import click


class Place(click.Path):
    """A path that is not empty: an empty one would mean the folder that the user happens to be in."""

    def convert(self, value, param, ctx):
        if not str(value).strip():
            self.fail("is empty; give a path", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = Place(path_type=Path, file_okay=False)
FILE = Place(path_type=Path, dir_okay=False)


class Day(click.ParamType):
    """A date YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value, param, ctx):
        if isinstance(value, date):
            return value
        try:
            if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.fail(f"{value!r} is not a date; write it as YYYY-MM-DD, say 2026-10-31", param, ctx)


DAY = Day()


def tell(text: str) -> None:
    """Prints data; a reader that has read enough and gone (head) changes neither the work nor the exit code."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
