"""What an unattended audit tells: JSON lines, metrics, notifications. Whatever goes wrong there, the audit stands."""

import io
import json
import os
import shlex
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.disk.lock import only_run
from flows.run.audit import Outcome, run_audit
from flows.run.stages import STAGES, Stage
from flows.settings import AuditSettings
from flows.watch.events import JsonLines, asks_for_json, json_stderr
from flows.watch.metrics import Ended, write_metrics
from flows.watch.options import WatchOptions
from flows.watch.watching import watched
from tests.cli_runs import AS_OF, Ran, as_nobody, audit, day, minutewise, write, write_days
from tests.test_canary import CANARY, HEADER_CANARY, write_extracts

ROOT = Path(__file__).parent.parent
LATER = ("--as-of", "2026-03-21")
#: A program of the user's that keeps all it is given: its stdin, arguments and environment.
KEEPER = """
import json, os, sys
told = {"stdin": sys.stdin.read(), "arguments": sys.argv[2:], "environment": dict(os.environ)}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
print("said on stdout"); print("said on stderr", file=sys.stderr)
"""


@pytest.fixture
def extracts(tmp_path) -> Path:
    return write_days(tmp_path / "extracts", day(1), day(2), day(3, claims_units=4))


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def breaks(monkeypatch):
    """Makes a stage raise what is given."""

    def arrange(name: str, problem: BaseException) -> None:
        def broken(run):
            raise problem

        stages = [Stage(stage.name, broken) if stage.name == name else stage for stage in STAGES]
        monkeypatch.setattr("flows.run.audit.STAGES", tuple(stages))

    return arrange


@pytest.fixture
def keeper(tmp_path):
    """A command for --notify-command, and what it was told so far, as one dict a time."""
    script, kept = write(tmp_path / "keeper.py", KEEPER), tmp_path / "kept.jsonl"

    def told() -> list[dict]:
        return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []

    return shlex.join([sys.executable, str(script), str(kept)]), told


def events(ran: Ran) -> list[dict]:
    """Stderr as events; fails where a line is not one."""
    told = [json.loads(line) for line in ran.err.splitlines()]
    for event in told:
        assert list(event)[:7] == ["at", "level", "event", "run_id", "stage", "counts", "seconds"]
        assert event["at"].endswith("+00:00")
        assert all(type(count) is int for count in (event["counts"] or {}).values())
    return told


def metrics(path: Path) -> dict[str, float]:
    """The textfile's samples by name and label values; fails where it is not of the exposition format."""
    text = path.read_text()
    families = list(text_string_to_metric_families(text))
    assert text.count("# HELP ") == text.count("# TYPE ") == len(families)
    assert all(family.documentation and family.type == "gauge" for family in families)
    return {
        "/".join([sample.name.removeprefix("minutewise_"), *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


class TestJsonLog:
    def test_a_night_as_events(self, extracts, out):
        ran = audit(extracts, out, "--log-format", "json", "--json")
        told, run_id = events(ran), json.loads(ran.out)["run_id"]
        steps = [(event["event"], event["stage"]) for event in told]
        stages = ["identify", *(stage.name for stage in STAGES)]
        assert steps[0] == ("run_started", None) and steps[-1] == ("published", None)
        for name in stages:
            started, finished = steps.index(("stage_started", name)), steps.index(("stage_finished", name))
            assert started < finished and told[finished]["seconds"] >= 0
        assert [event["run_id"] for event in told[:2]] == [None, None], "not known until the files are found"
        assert {event["run_id"] for event in told[2:]} == {run_id}
        assert {event["level"] for event in told} == {"info"}
        counts = {event["stage"]: event["counts"] for event in told if event["event"] == "stage_finished"}
        assert counts["identify"]["files"] == 3
        assert counts["recompute"]["claim_days"] == 3 and counts["recompute"]["notes_with_claim"] == 3
        last = told[-1]
        assert (last["exit_code"], last["counts"]["rows_read"], last["counts"]["findings"]) == (0, 9, 1)

    def test_text_is_as_ever(self, extracts, out):
        assert audit(extracts, out, "--log-format", "text").err == ""

    def test_the_same_audit_again(self, extracts, out):
        audit(extracts, out)
        told = events(audit(extracts, out, "--log-format=json"))
        assert [event["event"] for event in told][-2:] == ["already_published", "message"]
        assert told[-1]["level"] == "warning" and told[-1]["message"].startswith("this audit is published already")

    def test_an_exit_code_of_1_is_a_warning(self, extracts, out):
        ran = audit(extracts, out, "--log-format", "json", "--fail-on", "error")
        assert ran.code == 1
        assert [(event["level"], event["exit_code"]) for event in events(ran)[-1:]] == [("warning", 1)]

    @pytest.mark.parametrize(
        ("options", "code", "said"),
        [
            (("--nonsense",), 2, "--nonsense"),
            (("--as-of", "soon"), 2, "is not a date"),
            (("--since", "2026-03-02", "--until", "2026-03-01"), 2, "swap them"),
            (("--claims", "nowhere.csv"), 2, "nowhere.csv"),
            (("--metrics-file", "m.txt"), 2, ".prom"),
        ],
    )
    def test_a_mistake_is_an_event_with_the_words_of_the_text(self, extracts, out, options, code, said):
        as_text = audit(extracts, out, *options)
        ran = audit(extracts, out, *options, "--log-format", "json")
        assert (ran.code, as_text.code, ran.out) == (code, code, "")
        last = events(ran)[-1]
        assert (last["event"], last["level"], last["exit_code"]) == ("failed", "error", code)
        assert said in last["message"] and as_text.err == f"minutewise: {last['message']}\n"

    def test_a_command_line_that_asks_for_json_wrongly(self):
        assert events(minutewise("audit", "--log-format", "json"))[-1]["exit_code"] == 2
        assert events(minutewise("units", "--log-format=json"))[-1]["exit_code"] == 2
        assert minutewise("audit", "--log-format", "xml").err.startswith("minutewise: ")
        assert not asks_for_json(["audit", "json", "--log-format"]) and not asks_for_json([])

    def test_a_rejected_extract_names_its_run_and_stage(self, extracts, out):
        write(extracts / "notes.csv", "a,b\n1,2\n")
        ran = audit(extracts, out, "--log-format", "json")
        last = events(ran)[-1]
        assert (ran.code, last["event"], last["exit_code"]) == (3, "failed", 3)
        assert last["stage"] == "extract" and last["run_id"].startswith(AS_OF)

    def test_busy_internal_and_stopped(self, extracts, out, breaks):
        with only_run(out / ".lock"):
            assert events(audit(extracts, out, "--log-format", "json"))[-1]["exit_code"] == 75
        breaks("judge", ValueError("the secret of P1"))
        last = events(audit(extracts, out, "--log-format", "json"))[-1]
        assert (last["exit_code"], last["stage"]) == (4, "judge")
        assert "internal error (ValueError" in last["message"] and "secret" not in last["message"]
        breaks("publish", KeyboardInterrupt())
        last = events(audit(extracts, out, "--log-format", "json"))[-1]
        assert (last["exit_code"], last["stage"]) == (130, "publish") and "stopped" in last["message"]

    def test_a_traceback_that_was_asked_for(self, extracts, out, breaks, monkeypatch):
        monkeypatch.setenv("MINUTEWISE_TRACEBACK", "1")
        breaks("judge", ValueError("shown"))
        ran = audit(extracts, out, "--log-format", "json")
        said = [event.get("message") for event in events(ran)]
        assert ran.code == 4 and "Traceback (most recent call last):" in said and "ValueError: shown" in said
        assert said[-1].startswith("internal error (ValueError")

    def test_what_others_write_on_stderr_is_an_event_too(self, extracts, out, monkeypatch):
        def talkative(run):
            print("one\n\ntwo", file=sys.stderr)
            sys.stderr.write("three, without an end")

        monkeypatch.setattr("flows.run.audit.STAGES", (Stage("extract", talkative), *STAGES))
        told = events(audit(extracts, out, "--log-format", "json"))
        said = [event for event in told if event["event"] == "message"]
        assert [event["message"] for event in said] == ["one", "two", "three, without an end"]
        assert {event["level"] for event in said} == {"warning"} and said[0]["stage"] == "extract"

    def test_a_reader_that_has_gone_ends_nothing(self):
        class Gone(io.StringIO):
            def flush(self):
                raise BrokenPipeError

        closed = io.StringIO()
        closed.close()
        for stream in (Gone(), closed):
            log = JsonLines(stream)
            log.tell("published")
            log.write("to nobody\n")
            log.flush()

    def test_a_name_that_is_not_utf_8(self, out):
        ran = minutewise("audit", "--claims", os.fsdecode(b"\xff.csv"), "--out", out, "--log-format", "json")
        assert "\\udcff.csv" in events(ran)[-1]["message"]

    def test_stages_out_of_sight(self, extracts, out, tmp_path):
        """As under --prefect: the stages are run by somebody else, and the outcome is all that is known."""
        usual, sys.stderr = sys.stderr, (tmp_path / "err").open("w")
        try:
            with json_stderr(["--log-format=json"]), watched(_options(tmp_path), out) as night:
                night.ended(run_audit(AuditSettings(out=out, as_of=date.fromisoformat(AS_OF), extracts=extracts)))
        finally:
            sys.stderr.close()
            sys.stderr = usual
        told = events(Ran(0, "", (tmp_path / "err").read_text()))
        assert [event["event"] for event in told] == ["run_started", "published"] and told[1]["run_id"]
        assert metrics(tmp_path / "m.prom").keys() >= {f"stage_seconds/{stage.name}" for stage in STAGES}

    def test_a_guard_that_fired(self, extracts, out, tmp_path):
        document = json.loads(audit(extracts, out, "--json").out)
        fired = {"guard": "quarantine_share", "action": "stop", "did_fire": True, "was_overridden": True}
        quiet = {"guard": "clock_went_back", "action": "warn", "did_fire": False, "was_overridden": False}
        guards = [fired | {"sentence": "in words"}, quiet | {"sentence": ""}]
        outcome = Outcome(0, document | {"guards": guards}, Path(document["folder"]), False)
        usual, sys.stderr = sys.stderr, (tmp_path / "err").open("w")
        try:
            with json_stderr(["--log-format=json"]), watched(_options(tmp_path), out) as night:
                night.ended(outcome)
        finally:
            sys.stderr.close()
            sys.stderr = usual
        told = events(Ran(0, "", (tmp_path / "err").read_text()))[1]
        assert (told["event"], told["level"], told["guard"]) == ("guard_warned", "warning", "quarantine_share")
        assert told["overridden"] is True and told["message"] == "in words"
        assert metrics(tmp_path / "m.prom")["guards_fired"] == 1


def _options(folder: Path) -> WatchOptions:
    return WatchOptions(log_format="json", metrics_file=folder / "m.prom")


class TestMetrics:
    @pytest.fixture
    def file(self, tmp_path) -> Path:
        return tmp_path / "minutewise.prom"

    def test_a_night(self, extracts, out, file):
        started = time.time()
        assert audit(extracts, out, "--metrics-file", file).err == ""
        told = metrics(file)
        assert started <= told["last_success_timestamp_seconds"] == told["last_run_timestamp_seconds"] <= time.time()
        assert told["last_exit_code"] == 0 and told["run_seconds"] > 0
        assert told["findings/billed_units_exceed_minutes/error"] == 1
        assert sum(count for name, count in told.items() if name.startswith("findings/")) == 1
        rows = [told[f"rows/{outcome}"] for outcome in ("accepted", "quarantined", "duplicate")]
        assert rows == [9, 0, 0] and told["quarantine_share"] == 0
        assert told["at_risk_usd"] == 30 and told["rules/error"] == 0 and told["rules/failed"] == 1
        assert told["unjudged/billed_units_exceed_minutes"] == 0 and told["match_share/claim_days"] == 1
        assert told["last_service_date_timestamp_seconds"] == 1772496000  # 2026-03-03, midnight UTC
        assert told.keys() >= {f"stage_seconds/{name}" for name in ("identify", "extract", "recompute", "publish")}

    def test_rows_that_are_set_aside_or_repeated(self, tmp_path, out, file):
        broken = tuple(row | {"billed_units": "two"} if "billed_units" in row else row for row in day(2))
        audit(write_days(tmp_path / "extracts", day(1), day(1), broken), out, "--metrics-file", file)
        told = metrics(file)
        assert (told["rows/quarantined"], told["rows/duplicate"]) == (1, 3)
        assert told["quarantine_share"] == pytest.approx(1 / 9)

    def test_a_failure_leaves_what_is_published_as_it_was(self, extracts, out, file):
        audit(extracts, out, "--metrics-file", file)
        before = metrics(file)
        write(extracts / "notes.csv", "")
        for _ in range(2):
            ran = audit(extracts, out, "--metrics-file", file)
            now = metrics(file)
            assert ran.code == now["last_exit_code"] == 3
            assert now["last_run_timestamp_seconds"] > before["last_run_timestamp_seconds"]
            of_the_run = ("last_run", "last_exit", "run_sec", "stage_sec")
            kept = {name: value for name, value in before.items() if not name.startswith(of_the_run)}
            assert {name: now.get(name) for name in kept} == kept
            assert set(now) - set(kept) >= {"stage_seconds/identify"} and "stage_seconds/publish" not in now

    def test_every_way_to_fail(self, extracts, out, file, breaks):
        assert audit(extracts, out, "--since", "2026-03-02", "--until", "2026-03-01", "--metrics-file", file).code == 2
        assert metrics(file)["last_exit_code"] == 2
        assert "last_success_timestamp_seconds" not in metrics(file), "there was none yet"
        with only_run(out / ".lock"):
            audit(extracts, out, "--metrics-file", file)
        assert metrics(file)["last_exit_code"] == 75
        for problem, code in ((ValueError("x"), 4), (KeyboardInterrupt(), 130), (SystemExit(143), 143)):
            breaks("recompute", problem)
            assert audit(extracts, out, "--metrics-file", file).code == code
            assert metrics(file)["last_exit_code"] == code

    def test_published_already_is_a_success(self, extracts, out, file):
        audit(extracts, out)
        assert audit(extracts, out, "--metrics-file", file).code == 0
        assert metrics(file)["last_success_timestamp_seconds"] == metrics(file)["last_run_timestamp_seconds"]

    def test_a_file_that_is_something_else(self, extracts, out, file):
        write(file, "minutewise_last_success_timestamp_seconds yesterday\n")
        assert audit(extracts, out, "--since", "2026-03-02", "--until", "2026-03-01", "--metrics-file", file).code == 2
        assert metrics(file)["last_exit_code"] == 2
        write(file, b"\xff\0")
        ran = audit(extracts, out, "--metrics-file", file)
        assert (ran.code, ran.err) == (0, "") and metrics(file)["last_exit_code"] == 0

    def test_metrics_of_others_are_not_carried_on(self, extracts, out, file):
        write(file, "# TYPE minutewise_old gauge\nminutewise_old 1\n# TYPE up gauge\nup 1\n")
        audit(extracts, out, "--since", "2026-03-02", "--until", "2026-03-01", "--metrics-file", file)
        assert {"old", "up"}.isdisjoint(metrics(file))

    def test_any_rule_id_is_a_label(self, extracts, out, file):
        document = json.loads(audit(extracts, out, "--json").out)
        document["rules"][0]["rule_id"] = 'a "quoted"\\ rule\nof two lines'
        write_metrics(file, Ended(time.time(), 0, 1.5, {}, document))
        assert 'findings/a "quoted"\\ rule\nof two lines/error' in metrics(file)
        write_metrics(file, Ended(time.time(), 3, 1.5, {}, None))
        assert 'findings/a "quoted"\\ rule\nof two lines/error' in metrics(file)

    def test_the_exporter_can_read_it_and_nothing_is_left_beside(self, extracts, out, tmp_path):
        usual = os.umask(0o077)
        try:
            audit(extracts, out, "--metrics-file", tmp_path / "m.prom", "--digest-file", tmp_path / "d" / "d.md")
        finally:
            os.umask(usual)
        assert (tmp_path / "m.prom").stat().st_mode & 0o777 == 0o644
        assert (tmp_path / "d" / "d.md").stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "extracts", "m.prom", "out"]
        assert [path.name for path in (tmp_path / "d").iterdir()] == ["d.md"]

    def test_a_folder_that_cannot_be_written_fails_no_audit(self, extracts, tmp_path):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o555)
        (tmp_path / "out").mkdir()
        (tmp_path / "out").chmod(0o777)
        for folder in (*tmp_path.parents, tmp_path):
            if folder.owner() == tmp_path.owner() and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        with as_nobody():
            files = ("--metrics-file", closed / "m.prom", "--digest-file", closed / "d.md")
            ran = audit(extracts, tmp_path / "out", *files)
        assert ran.code == 0 and "Report" in ran.out
        assert [line.split(":")[1].split()[0] for line in ran.err.splitlines()] == ["--metrics-file", "--digest-file"]
        assert ran.err.count("could not be written (Permission denied)") == 2


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--metrics-file", "m.txt"), "must end in .prom"),
            (("--metrics-file", "nowhere/m.prom"), "its folder does not exist"),
            (("--notify-command", "mail 'me"), "a quotation mark is not closed"),
            (("--notify-command", " "), "is empty"),
            (("--notify-command", "''"), "is empty"),
            (("--notify-block", "nightly"), "TYPE/NAME"),
            (("--notify-block", "../x/y"), "TYPE/NAME"),
            (("--notify-always",), "needs --notify-command or --notify-block"),
        ],
    )
    def test_an_option_that_can_never_work(self, extracts, out, options, said):
        ran = audit(extracts, out, *options)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1) and said in ran.err
        assert not out.exists()


class TestNotifying:
    def test_the_program_gets_the_digest_and_little_else(self, extracts, out, tmp_path, keeper, monkeypatch):
        command, told = keeper
        monkeypatch.setenv("A_SECRET", "of ours")
        more = ["--subject", "; touch x", "$HOME", "`id`", "*"]
        digest = ("--digest-file", tmp_path / "d.md")
        ran = audit(extracts, out, "--notify-command", f"{command} {shlex.join(more)}", *digest, "--json")
        assert (ran.code, ran.err) == (0, "") and "said on" not in ran.out
        (call,) = told()
        assert call["stdin"] == (tmp_path / "d.md").read_text() and call["arguments"] == more
        environment = call["environment"]
        assert environment["MINUTEWISE_RUN_ID"] == json.loads(ran.out)["run_id"]
        assert environment["MINUTEWISE_EXIT_CODE"] == "0" and environment["PATH"] == os.environ["PATH"]
        ours = {"PATH", "HOME", "LANG", "MINUTEWISE_RUN_ID", "MINUTEWISE_EXIT_CODE"}
        assert set(environment) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} <= ours

    def test_nobody_is_told_of_a_night_without_change_unless_asked(self, extracts, out, tmp_path, keeper):
        command, told = keeper
        for _ in range(2):
            audit(extracts, out, "--notify-command", command)
        assert len(told()) == 1, "the same audit again is no news"
        audit(extracts, out, "--notify-command", command, *LATER)
        assert len(told()) == 1
        audit(extracts, out, "--notify-command", command, *LATER, "--notify-always")
        assert len(told()) == 2 and "nothing changed" in told()[1]["stdin"]
        write_days(extracts, day(1), day(2), day(3))
        audit(extracts, out, "--notify-command", command, *LATER)
        assert "1 resolved" in told()[2]["stdin"] and len(told()) == 3

    def test_who_was_not_told_is_told_by_the_same_audit_again(self, extracts, out, keeper):
        command, told = keeper
        assert audit(extracts, out, "--notify-command", "false").code == 0
        audit(extracts, out, "--notify-command", command)
        assert len(told()) == 1

    def test_a_failure_is_told_in_one_line(self, extracts, out, tmp_path, keeper):
        command, told = keeper
        write(extracts / "notes.csv", "")
        ran = audit(extracts, out, "--notify-command", command, "--digest-file", tmp_path / "d.md")
        assert ran.code == 3
        (call,) = told()
        heading, _, message = call["stdin"].strip().split("\n")
        assert heading == "# minutewise: the audit failed (exit code 3)" and f"minutewise: {message}\n" == ran.err
        assert call["environment"]["MINUTEWISE_EXIT_CODE"] == "3"
        assert (tmp_path / "d.md").read_text() == call["stdin"]
        audit(extracts, out, "--notify-command", command)
        assert len(told()) == 2, "a failure is told each time"

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("false --token=s3cret", "--notify-command false: ended with 1"),
            ("{folder}/tell s3cret", "--notify-command tell: could not be started (Exec format error)"),
            ("true s3cret", None),
        ],
    )
    def test_a_program_that_fails_is_a_warning(self, extracts, out, tmp_path, command, said):
        no_program = tmp_path / "tell"
        no_program.write_bytes(b"\0 no program")
        no_program.chmod(0o700)
        command = command.format(folder=tmp_path)
        ran = audit(extracts, out, "--notify-command", command)
        assert ran.code == 0 and "Report" in ran.out and "s3cret" not in ran.err
        assert ran.err == (f"minutewise: {said}\n" if said else "")

    def test_a_program_that_hangs_is_ended_with_all_it_started(self, extracts, out, tmp_path, monkeypatch):
        monkeypatch.setattr("flows.watch.notify.COMMAND_SECONDS", 1)
        script = f"sh -c 'echo $$ > {tmp_path}/pid; exec sleep 300' & wait"
        ran = audit(extracts, out, "--notify-command", shlex.join(["sh", "-c", script]))
        assert ran.code == 0 and "took more than 1 seconds and was ended" in ran.err
        number = (tmp_path / "pid").read_text().strip()
        for _ in range(50):
            state = Path(f"/proc/{number}/stat")
            if not state.exists() or state.read_text().split(")")[1].split()[0] == "Z":
                return
            time.sleep(0.1)
        pytest.fail("what the program started still runs")

    def test_a_block_gets_subject_and_body(self, tmp_path):
        """In a process of its own, as the audit does it; the block is a stranger's that answers or not."""
        driver = """
import sys
from pathlib import Path
from flows.watch.block import hand_over
import flows.watch.prefect_home
flows.watch.prefect_home.prepare_prefect(Path(sys.argv[1]))
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
class Mine(NotificationBlock):
    def notify(self, body, subject=None):
        assert self._raise_on_failure
        print(repr((subject, body)))
Block.load = classmethod(lambda cls, name: Mine() if name == "mine/nightly" else 1 / 0)
hand_over("mine/nightly", Path(sys.argv[1]), "# minutewise: nothing changed\\n\\nRun x.\\n")
"""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        ended = subprocess.run(
            [sys.executable, "-c", driver, str(tmp_path)],
            capture_output=True,
            text=True,
            env=kept | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        )
        assert ended.stdout == "('minutewise: nothing changed', 'Run x.')\n", ended.stderr

    def test_a_block_that_cannot_be_told_is_a_warning(self, extracts, out, monkeypatch, tmp_path):
        monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")  # discard: nobody answers
        monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
        ran = audit(extracts, out, "--notify-block", "slack-webhook/nightly")
        assert ran.code == 0 and "Report" in ran.out
        assert ran.err.startswith("minutewise: --notify-block slack-webhook/nightly: ended with 1;")
        assert ran.err.count("\n") == 1


class TestPrivate:
    def _told(self, tmp_path, keeper, ran: Ran) -> str:
        files = [tmp_path / "m.prom", tmp_path / "d.md"]
        told = [path.read_text() for path in files] + [call["stdin"] for call in keeper[1]()]
        assert all(told) and len(told) >= 3
        events(ran)
        return "\n".join([ran.err, *told]).lower()

    def _watch(self, tmp_path, keeper) -> tuple:
        files = ("--metrics-file", tmp_path / "m.prom", "--digest-file", tmp_path / "d.md")
        return (*files, "--notify-command", keeper[0], "--notify-always", "--log-format", "json")

    def test_two_nights(self, tmp_path, out, keeper):
        extracts, watch = write_extracts(tmp_path / "extracts"), self._watch(tmp_path, keeper)
        assert audit(extracts, out, *watch).code == 0
        claims = (extracts / "claims.csv").read_text().replace(",MEDICARE,", f",{CANARY}-payer,").splitlines()
        (extracts / "claims.csv").write_text("\n".join(claims[:4] + claims[5:]) + "\n")
        ran = audit(extracts, out, *watch)
        assert ran.code == 0
        told = self._told(tmp_path, keeper, ran)
        assert "resolved" in told and "payer" in told
        assert CANARY not in told and HEADER_CANARY.lower() not in told

    @pytest.mark.parametrize("stage", ["extract", "recompute", "publish"])
    def test_a_night_that_fails(self, tmp_path, out, keeper, breaks, stage):
        extracts = write_extracts(tmp_path / "extracts")
        breaks(stage, ValueError(f"{CANARY} of patient {CANARY}-P1"))
        ran = audit(extracts, out, *self._watch(tmp_path, keeper))
        assert ran.code == 4
        told = self._told(tmp_path, keeper, ran)
        assert "internal error" in told and CANARY not in told

    def test_an_extract_that_is_refused(self, tmp_path, out, keeper):
        extracts = write_extracts(tmp_path / "extracts")
        write(extracts / "notes.csv", f"{CANARY},{HEADER_CANARY}\n{CANARY},1\n")
        ran = audit(extracts, out, *self._watch(tmp_path, keeper))
        assert ran.code == 3
        told = self._told(tmp_path, keeper, ran)
        assert CANARY not in told and HEADER_CANARY.lower() not in told
