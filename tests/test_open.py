"""`minutewise open`: the report that is current, in the user's browser; its path where there is none."""

import shutil
from pathlib import Path

import pytest

from flows.cli import cli
from flows.commands.open import open_report
from tests.cli_runs import minutewise, published, refused, write

RUN, EARLIER = "2026-03-20-bbbbbbbbbbbb", "2026-03-19-aaaaaaaaaaaa"


@pytest.fixture
def out(tmp_path, monkeypatch) -> Path:
    """An output folder with two runs, the later one current; in an address its name must be escaped."""
    monkeypatch.setitem(cli.commands, "open", open_report)
    out = tmp_path / "St. John's #2 50%"
    for run_id in (EARLIER, RUN):
        write(out / "runs" / run_id / "manifest.json", "{}")
        write(out / "runs" / run_id / "report.html", "<!doctype html>")
    write(out / "current", RUN + "\n")
    return out


@pytest.fixture
def browser(tmp_path, monkeypatch) -> Path:
    """The file that the user's browser writes what it was asked for to."""
    asked, program = tmp_path / "asked", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {asked}\n')
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(program))
    # The list of browsers is made once a process: of the environment that the test gives.
    monkeypatch.setattr("webbrowser._tryorder", None)
    return asked


def report_of(out: Path, run_id: str) -> Path:
    return out / "runs" / run_id / "report.html"


def test_the_current_report_is_opened_and_its_path_told(out, browser):
    ran = minutewise("open", out)
    assert (ran.code, ran.out, ran.err) == (0, f"{report_of(out, RUN)}\n", "")
    assert browser.read_text() == report_of(out, RUN).as_uri()
    assert "%232" in browser.read_text() and "50%25" in browser.read_text()


def test_an_earlier_report_is_opened_when_it_is_named(out, browser):
    assert minutewise("open", out, "--run", EARLIER).out == f"{report_of(out, EARLIER)}\n"
    assert browser.read_text() == report_of(out, EARLIER).as_uri()


def test_only_its_path_is_printed(out, browser):
    ran = minutewise("open", out, "--print")
    assert (ran.code, ran.out, ran.err) == (0, f"{report_of(out, RUN)}\n", "")
    assert not browser.exists()


def test_a_path_given_from_the_folder_the_user_is_in_is_told_whole(out, browser, monkeypatch):
    monkeypatch.chdir(out.parent)
    assert minutewise("open", out.name, "--print").out == f"{report_of(out, RUN)}\n"


@pytest.mark.parametrize("named", ["broken", "/nowhere/browser"])
def test_no_browser_can_be_started(out, browser, tmp_path, monkeypatch, named):
    write(tmp_path / "bin" / "broken", "#!/bin/sh\nexit 1\n").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("BROWSER", named)
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(display, raising=False)
    ran = minutewise("open", out)
    assert (ran.code, ran.out) == (0, f"{report_of(out, RUN)}\n")
    assert ran.err == "minutewise: no browser could be started here; open the file named above in one\n"


class TestNothingToOpen:
    def test_before_the_first_run(self, tmp_path, out):
        refused(minutewise("open", tmp_path / "empty"), 2, "no run is published there")

    def test_only_parts_of_the_dates_were_audited(self, out):
        (out / "current").unlink()
        refused(minutewise("open", out), 2, "no run over all dates", "--run", RUN)

    def test_a_run_that_is_not_there(self, out):
        for run_id in ("2026-03-21-cccccccccccc", "../..", RUN[:-1]):
            refused(minutewise("open", out, "--run", run_id), 2, "no such run", RUN)

    def test_the_current_run_is_gone(self, out):
        shutil.rmtree(out / "runs" / RUN)
        refused(minutewise("open", out), 2, "the run that `current` names is not there", EARLIER)

    def test_its_report_is_gone(self, out):
        report_of(out, RUN).unlink()
        refused(minutewise("open", out), 2, "report.html: is missing", "minutewise verify")
        assert published(out)[1] == RUN

    def test_no_folder_given(self, out):
        refused(minutewise("open"), 2, "OUT")
