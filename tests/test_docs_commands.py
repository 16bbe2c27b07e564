"""Every command that README and docs show is run as it is written, in a folder that holds what it names.

What needs root, systemd, a server, Java or another's program stands in NOT_RUN with the reason; a new command that
cannot be run here fails until it is put there.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.cli_runs import minutewise, published

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DEPLOYMENTS = {
    one["name"]: one["parameters"] for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}
#: The first words of a command that is not run here, and why.
NOT_RUN = {
    "make ": "makes an environment, runs this suite, or measures for minutes; make audit is the audit of docs/sql.md",
    "minutewise bench ": "takes hours and a disk of its own; tests/test_bench.py runs a small one",
    "export ": "sets the environment of a terminal",
    "PREFECT_HOME=": "is a line of an environment file, or a server that runs until it is stopped",
    "TZ=": "is a line of an environment file",
    "prefect server start": "runs until it is stopped; tests/prefect_server.py starts one",
    "prefect worker start": "runs until it is stopped; tests/test_prefect_deployments.py starts one",
    "prefect work-pool create": "needs a server; tests/test_prefect_deployments.py has one",
    "prefect --no-prompt deploy": "needs a server; tests/test_prefect_deployments.py deploys",
    "prefect deployment ls": "needs a server",
    "useradd ": "needs root",
    "install -d": "needs root",
    "systemd-analyze ": "needs systemd; tests/test_scheduling_docs.py asks it where it is",
    "systemctl ": "needs systemd",
    "journalctl ": "needs systemd",
    "#!/bin/sh": "is a script to be put in place; tests/test_scheduling_docs.py runs the one that audits",
    "/var/lib/minutewise/nightly.log {": "is a file of logrotate",
    "psql ": "needs PostgreSQL; tests/test_sql_command.py runs the scripts where it is",
    "cat scripts/": "needs PostgreSQL",
    "python -c 'from ": "needs a webhook of Slack",
    "Claim days matched": "is what make audit prints",
}
#: Options that need what is not here, with the same meaning as above.
NEEDS = {
    "--engine spark": "needs Java, or a cluster; tests/test_spark.py",
    "--prefect": "starts a server; tests/test_prefect.py",
    "--notify-block": "starts a server; tests/test_watch.py",
    "--pdf": "needs the program typst's package; tests/test_evidence.py makes one where it is",
}
#: Names of parameters of a deployment that its command calls otherwise.
OPTIONS = {"every_run": "all"}


def blocks() -> list:
    """Every fenced block of commands, as pytest has it: page and number, and the commands in it, each in one line."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, (kind, body) in enumerate(re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL), 1):
            if kind in ("", "sh") and (commands := commands_of(body)):
                found.append(pytest.param(commands, id=f"{page.name}-{number}"))
    return found


def commands_of(body: str) -> list[str]:
    """The commands of a block; a script, a file or an output is one, its first line."""
    lines = re.sub(r"\\\n\s*", "", body).splitlines()
    if lines[0].startswith("$ "):  # what comes behind is what it prints: tests/test_readme.py
        return [lines[0].removeprefix("$ ")]
    if reason(lines[0]) and any(lines[0].startswith(one) for one in ("#!", "Claim days", "/var/lib")):
        return lines[:1]
    found: list[str] = []
    for line in lines:
        if found and found[-1].count("'") % 2:  # a quoted text over several lines
            found[-1] += f"\n{line}"
        elif line.strip() and not line.startswith("#"):
            found.append(line)
    return [re.sub(r"\s{2,}#.*$", "", line) for line in found]


def reason(command: str) -> str | None:
    """Why a command is not run here, None where it is."""
    began = next((why for words, why in NOT_RUN.items() if command.startswith(words)), None)
    return began or next((why for option, why in NEEDS.items() if f"{option} " in f"{command} "), None)


ALL = [command for block in blocks() for command in block.values[0]]


def test_nothing_is_listed_that_no_page_shows():
    assert len(ALL) > 50
    unused = [words for words in NOT_RUN if not any(command.startswith(words) for command in ALL)]
    unused += [option for option in NEEDS if not any(option in command for command in ALL)]
    assert unused == []


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory) -> Path:
    """A folder as the pages have it: the samples under every name, two published runs, a worklist, decisions."""
    folder = tmp_path_factory.mktemp("docs")
    samples = ROOT / "data" / "samples"
    for name in ("extracts", "drop", "history", "srv"):
        (folder / name).mkdir()
        for file in ("claims.csv", "notes.csv", "note_blocks.csv"):
            shutil.copy(samples / file, folder / name / file)
    for name in ("our-tables", "our-payers", "etc"):
        shutil.copytree(samples / "reference", folder / name)
    (folder / "exporter" / "textfile").mkdir(parents=True)
    (folder / "var").mkdir()
    (folder / "data").symlink_to(ROOT / "data")
    (folder / "bin").mkdir()
    for name in ("mail", "curl"):  # no word leaves the machine
        (folder / "bin" / name).write_text("#!/bin/sh\ncat >/dev/null\n")
        (folder / "bin" / name).chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for as_of in ("2026-11-09", "2026-11-10"):
            ran = minutewise(
                "audit", "--extracts", "extracts", "--reference", "our-tables", "--out", "out", "--as-of", as_of
            )
            assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def place(sandbox, tmp_path, monkeypatch) -> Path:
    """A copy of it, where the test stands; what is written by name stands in it, too."""
    folder = tmp_path / "place"
    shutil.copytree(sandbox, folder, symlinks=True)
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(folder)
    run = folder / "out" / "runs" / published(folder / "out")[1]
    for name in ("findings.xlsx", "monday.xlsx"):
        shutil.copy(run / "findings.xlsx", folder / name)
    finding = (run / "findings.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    (folder / "decisions.csv").write_text(
        f"finding_id,disposition,reason\n{finding},accepted,refunded\n", encoding="utf-8"
    )
    return folder


def as_here(command: str, place: Path) -> str:
    """The command with the ids and the places of this folder in place of those that the page makes up."""
    runs, findings = sorted(path.name for path in (place / "out" / "runs").iterdir()), []
    for line in (place / "out" / "runs" / runs[-1] / "findings.csv").read_text(encoding="utf-8").splitlines()[1:3]:
        findings.append(line[:12])
    for shown, here in {
        "RUN_A": runs[0],
        "RUN_B": runs[1],
        "2026-11-09-1f0c2a7b9d3e": runs[0],
        "2026-11-10-dc71a5dc602d": runs[1],
        "4f1c2a": findings[0],
        "99d0e1": findings[1],
        "audit ... ": "audit --extracts extracts/ --out out/ ",
        "/srv/minutewise/extracts": "srv",
        "/etc/minutewise/reference": "etc",
        "/var/lib/minutewise": "var",
        "/var/lib/node_exporter": "exporter",
    }.items():
        command = command.replace(shown, here)
    return command


def of_deployment(command: str) -> list[str]:
    """The command line of what a `prefect deployment run` starts: its parameters are the options, with _ for -."""
    words = shlex.split(command)
    _, _, name = words[3].partition("/")
    given = dict(pair.split("=", 1) for word, pair in pairwise(words) if word == "--param")
    asked = DEPLOYMENTS[name] | {key: as_told(value) for key, value in given.items()}
    first = {"nightly": ["audit"], "backfill": ["backfill"]}.get(name) or [name, asked.pop("out")]
    for key, value in asked.items():
        option = f"--{OPTIONS.get(key, key).replace('_', '-')}"
        if value is True:
            first.append(option)
        elif value not in (None, False):
            first += [word for one in (value if isinstance(value, list) else [value]) for word in (option, str(one))]
    return first


def as_told(value: str) -> object:
    """What the command line of Prefect makes of a parameter."""
    try:
        return json.loads(value)
    except ValueError:
        return value


@pytest.mark.parametrize("commands", blocks())
def test_every_command_runs_as_it_is_written(commands, place):
    for command in commands:
        if reason(command):
            continue
        here = as_here(command, place)
        if here.startswith("minutewise "):
            ran = minutewise(*shlex.split(here)[1:])
            code, said = ran.code, ran.err
        elif here.startswith("prefect deployment run "):
            ran = minutewise(*of_deployment(here))
            code, said = ran.code, ran.err
        else:
            done = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=False)
            code, said = done.returncode, done.stderr
        assert code == 0, f"{command}\n{said}"
