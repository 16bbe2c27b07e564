"""What the scheduler guide tells a person to type or to put in place is sound: units, crontab, script, DAG, options."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from flows.cli import cli

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
#: (language, text) of every fenced block.
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
UNITS = {Path(text.split("\n", 1)[0].removeprefix("# ")).name: text for kind, text in BLOCKS if kind == "ini"}
(NIGHTLY,) = [text for kind, text in BLOCKS if kind == "sh" and text.startswith("#!/bin/sh\n")]
(CRONTAB,) = [text for kind, text in BLOCKS if kind == "cron"]
(DAG,) = [text for kind, text in BLOCKS if kind == "python"]
SHELLS = [text for kind, text in BLOCKS if kind == "sh"]
MINUTEWISE = "/opt/minutewise/.venv/bin/minutewise"


def commands() -> list[list[str]]:
    """The arguments of every whole `minutewise` command of the guide's blocks."""
    found = []
    for _, text in BLOCKS:
        for line in text.replace("\\\n", " ").splitlines():
            called = re.search(r"(?:^\s*|=|\s)(?:/\S+/)?minutewise (audit|rebuild|backfill|verify|retention)\b.*", line)
            if called and not line.startswith("#"):
                words = shlex.split(called[0].replace("$home", "/var/lib/minutewise"))[1:]
                found.append([word for word in words if not re.match(r"\d?>", word)])
    return found


def test_the_guide_shows_whole_commands():
    assert [words[0] for words in commands()].count("audit") == 3
    assert {"verify", "retention"} <= {words[0] for words in commands()}


@pytest.mark.parametrize("words", commands(), ids=lambda words: words[0])
def test_every_whole_command_of_the_guide_is_one_that_minutewise_takes(words):
    context = click.Context(cli, info_name="minutewise")
    command = cli.get_command(context, words[0])
    assert command is not None, f"minutewise {words[0]} does not exist"
    command.make_context(words[0], words[1:], parent=context)


def test_every_command_and_option_that_the_guide_speaks_of_exists():
    options = {name for command in cli.commands.values() for param in command.params for name in param.opts}
    spoken = "\n".join(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", GUIDE, flags=re.MULTILINE | re.DOTALL)))
    called = set(re.findall(r"\bminutewise ([a-z]+)\b", spoken))
    assert called >= {"audit", "rebuild", "backfill", "verify", "retention"}
    assert sorted(called - set(cli.commands)) == []
    assert sorted(set(re.findall(r"(?<!\S)(--[a-z][a-z-]+)", spoken)) - options) == []


def test_every_metric_to_alert_on_is_one_that_is_written():
    written = (ROOT / "flows" / "watch" / "metrics.py").read_text(encoding="utf-8")
    named = set(re.findall(r"\bminutewise_[a-z_]+", GUIDE))
    assert len(named) == 4
    assert [name for name in sorted(named) if f'"{name}"' not in written] == []


def test_the_guide_says_what_to_do_about_every_exit_code():
    assert re.findall(r"^\| (\w[\w ]*) \|", GUIDE, re.MULTILINE) == ["exit", "0", "1", "2", "3", "4", "75", "above 128"]


def test_the_service_is_shut_in():
    service = UNITS["minutewise.service"]
    for line in [
        "Type=oneshot",
        "ProtectSystem=strict",
        "ReadWritePaths=/var/lib/minutewise",
        "PrivateTmp=true",
        "NoNewPrivileges=true",
        "UMask=0077",
        "RestrictAddressFamilies=AF_UNIX",
        "RestartPreventExitStatus=1 2 3",
    ]:
        assert f"\n{line}\n" in service, line
    limit, memory = re.search(r"--memory-limit (\d+)GB", service)[1], re.search(r"MemoryMax=(\d+)G", service)[1]
    assert int(memory) > int(limit), "the kernel must not kill what the database is allowed"
    written = re.findall(r"--(?:out|warehouse|metrics-file|digest-file) (\S+)", service)
    assert len(written) == 4 and all(path.startswith("/var/lib/minutewise/") for path in written)


def test_a_missed_night_is_caught_up_by_the_timer():
    timer = UNITS["minutewise.timer"]
    assert "\nPersistent=true\n" in timer and "\nRandomizedDelaySec=" in timer


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_takes_the_units(tmp_path):
    assert set(UNITS) == {"minutewise.service", "minutewise.timer", "minutewise-alert.service"}
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace(MINUTEWISE, shutil.which("true")), encoding="utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    # It ends with 0 although it passed over a key that it does not know.
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


@pytest.mark.parametrize("script", SHELLS)
def test_every_shell_block_is_shell(script):
    assert subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False).stderr == ""


def nightly(folder: Path, codes: list[int]) -> tuple[int, str, int, list[str]]:
    """Runs the script with a minutewise that ends with these codes in turn: its code, its words, calls, sleeps."""
    home, fake, calls = folder / "home", folder / "minutewise", folder / "calls"
    home.mkdir()
    fake.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "calls.write_text((calls.read_text() if calls.exists() else '') + '.')\n"
        "print('data'); print('words', file=sys.stderr)\n"
        f"sys.exit({codes}[len(calls.read_text()) - 1])\n"
    )
    (folder / "sleep").write_text(f'#!/bin/sh\necho "$1" >>{folder}/slept\n')
    for file in (fake, folder / "sleep"):
        file.chmod(0o755)
    script = NIGHTLY.replace(MINUTEWISE, str(fake)).replace("home=/var/lib/minutewise", f"home={home}")
    told = subprocess.run(
        ["sh", "-c", script], env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert told.stdout == ""
    assert (home / "last.json").read_text() == "data\n"
    assert (home / "last.json").stat().st_mode & 0o077 == (home / "nightly.log").stat().st_mode & 0o077 == 0
    slept = (folder / "slept").read_text().split() if (folder / "slept").exists() else []
    return told.returncode, told.stderr, len(calls.read_text()), slept


def test_a_good_night_is_silent(tmp_path):
    assert nightly(tmp_path, [0]) == (0, "", 1, [])


@pytest.mark.parametrize("code", [1, 2, 3, 137])
def test_a_night_that_would_end_the_same_way_again_is_told_and_not_tried_again(tmp_path, code):
    ended, words, calls, slept = nightly(tmp_path, [code, 0])
    assert (ended, calls, slept) == (code, 1, [])
    assert len(words.splitlines()) == 1 and f"ended with {code};" in words


@pytest.mark.parametrize("code", [4, 75])
def test_a_fault_that_may_pass_is_tried_again_twice(tmp_path, code):
    assert nightly(tmp_path, [code, code, 0]) == (0, "", 3, ["900", "900"])


@pytest.mark.parametrize("code", [4, 75])
def test_a_fault_that_stays_is_told(tmp_path, code):
    ended, words, calls, slept = nightly(tmp_path, [code] * 5)
    assert (ended, calls, slept) == (code, 3, ["900", "900"])
    assert f"ended with {code};" in words


def test_the_crontab_is_one_that_cron_takes():
    times = r"(\*|\d+)"
    job = re.compile(rf"{times} {times} {times} {times} {times} minutewise (/\S+)( [^%]+)?")
    lines = CRONTAB.splitlines()
    jobs = [line for line in lines if not re.fullmatch(r"[A-Z]+=\S+", line)]
    assert len(jobs) == 3 and all(job.fullmatch(line) for line in jobs)
    for line in jobs:
        minute, hour, day, month, weekday = line.split()[:5]
        for value, most in [(minute, 59), (hour, 23), (day, 31), (month, 12), (weekday, 7)]:
            assert value == "*" or int(value) <= most


def test_the_dag_tries_nothing_again_and_skips_only_a_busy_night():
    called = [node for node in ast.walk(ast.parse(DAG)) if isinstance(node, ast.Call)]
    (operator,) = [node for node in called if isinstance(node.func, ast.Name) and node.func.id == "BashOperator"]
    given = {word.arg: word.value.value for word in operator.keywords if isinstance(word.value, ast.Constant)}
    assert (given["retries"], given["skip_on_exit_code"], given["do_xcom_push"]) == (0, 75, False)
    # Airflow takes a command that ends in .sh for the name of a template.
    assert given["bash_command"] == "/opt/minutewise/nightly" == NIGHTLY.split("\n")[1].split(":")[0].removeprefix("# ")


def test_every_scheduler_starts_at_the_same_time():
    assert "OnCalendar=*-*-* 03:30:00 America/New_York\n" in UNITS["minutewise.timer"]
    assert "\n30 3 * * * minutewise /opt/minutewise/nightly\n" in CRONTAB
    assert 'schedule="30 3 * * *"' in DAG and 'tz="America/New_York"' in DAG
    assert "Environment=TZ=America/New_York\n" in UNITS["minutewise.service"]
    assert "export TZ=America/New_York\n" in NIGHTLY
