"""What the README shows is what the program prints."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.cli import cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ minutewise ([^\n]+)\n(.*?)```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("command", "printed"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_shown_command_prints_what_is_shown(command, printed):
    result = CliRunner().invoke(cli, command.split(), standalone_mode=False)
    assert result.exception is None
    assert result.output.strip() == printed.strip()


def test_every_command_and_every_exit_code_is_documented():
    for name in cli.commands:
        assert f"minutewise {name}" in README, name
    for code in (0, 1, 2, 3, 4, 75):
        assert f"| {code} |" in README
