"""What the README shows is what the program prints."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.cli import cli
from tests.cli_runs import minutewise
from tests.stand_ins import judged_by_findings

pytestmark = pytest.mark.whole_audit

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ minutewise ([^\n]+)\n(.*?)```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("command", "printed"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_shown_command_prints_what_is_shown(command, printed):
    result = CliRunner().invoke(cli, command.split(), standalone_mode=False)
    assert result.exception is None
    assert result.output.strip() == printed.strip()


def test_what_make_audit_prints_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr("expectations.judge.judge", judged_by_findings)
    asked = ("--reference", SAMPLES / "reference", "--as-of", "2026-11-10", "--out", tmp_path / "out")
    printed = minutewise("audit", "--extracts", SAMPLES, *asked).out.replace(f"{tmp_path}/", "")
    printed = re.sub(r"(2026-11-10-)[0-9a-f]+", r"\1...", printed).splitlines()
    (shown,) = re.findall(r"What `make audit` prints.*?```\n(.*?)```", README, re.DOTALL)
    assert [line for line in shown.splitlines() if line != "..." and line not in printed] == []
    findings = (SAMPLES / "ledger.csv").read_text(encoding="utf-8").count(",finding,")
    assert f"Findings: {findings}." in shown
    assert f"compare: {findings} findings," in (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")


def test_every_command_and_every_exit_code_is_documented():
    for name in cli.commands:
        assert f"minutewise {name}" in README, name
    for code in (0, 1, 2, 3, 4, 75):
        assert f"| {code} |" in README
