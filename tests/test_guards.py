"""Guards: just below a limit nothing is said, just above it the row of guard.csv decides; few on a first night."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from flows.guards.check import CHECKS, check_guards, guard_lines, manifest_entries, stop_or_warn
from flows.guards.facts import NightFacts, PayerLines, TableRows, guards_in_force, night_facts
from flows.runs.earlier import MOST_NIGHTS, earlier_manifests, earlier_nights
from flows.settings import require_known_guards
from tests.cli_runs import day, write, write_days
from tests.extract_files import write_extract
from transforms.accept.apply import apply_contract
from transforms.database.duckdb_file import open_database
from transforms.errors import InputRejected, UsageProblem
from transforms.extract import find_inputs, load_extracts
from transforms.models.run import Setting, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.definitions import GUARD_UNITS
from transforms.reference.tables import load_reference

TONIGHT = date(2026, 3, 20)  # a Friday
GUARD_HEADER = "guard,action,limit,unit,effective_from,effective_to,citation,last_checked_on"


def shipped(tmp_path=None, *own: str, on: date = TONIGHT) -> list[dict]:
    """The guards in force on a day, with a user's own rows laid over them."""
    if own:
        write(tmp_path / "guard.csv", "\n".join([GUARD_HEADER, *own]) + "\n")
    with open_database() as con:
        load_reference(con, tmp_path if own else None)
        return guards_in_force(con, on)


GUARDS = shipped()


def night(days_before: int = 1, claims: int = 100, notes: int = 100, **more) -> dict:
    """The manifest of a night some days before this one."""
    inputs = [{"table": "claims", "rows_read": claims}, {"table": "notes", "rows_read": notes}]
    return {
        "as_of": (TONIGHT - timedelta(days=days_before)).isoformat(),
        "inputs": inputs,
        "payers": ["MEDICARE"],
        "dates_without_notes": {},
        **more,
    }


EARLIER = [night(number) for number in (1, 2, 3)]


def rows(read: int = 100, quarantined: int = 0, duplicate: int = 0, **reasons: int) -> TableRows:
    return TableRows(read, read - quarantined - duplicate, quarantined, duplicate, reasons)


#: A table as on any other night.
USUAL = rows()


def facts(claims: TableRows = USUAL, notes: TableRows = USUAL, **more) -> NightFacts:
    return NightFacts(TONIGHT, rows={"claims": claims, "notes": notes}, **more)


def fired(found: NightFacts, earlier=EARLIER, guards=GUARDS) -> dict[str, str]:
    """The sentences of the guards that fired."""
    return {one.guard: one.sentence for one in check_guards(found, earlier, guards) if one.did_fire}


def test_every_guard_has_a_shipped_row_and_a_check():
    assert {row["guard"] for row in GUARDS} == set(GUARD_UNITS) == set(CHECKS)


def test_an_ordinary_night_passes_every_guard():
    assert fired(facts(rows(110, 2, not_whole=2), rows(90))) == {}


class TestQuarantineShare:
    def test_a_fifth_of_a_table_is_let_pass_and_a_row_more_is_not(self):
        assert fired(facts(rows(100, 20, not_whole=20))) == {}
        said = fired(facts(rows(100, 21, not_whole=15, required=6)))["quarantine_share"]
        assert said.startswith("claims: 21 of 100 rows set aside (not_whole 15, required 6), more than 20%")

    def test_each_table_is_looked_at_by_itself(self):
        assert fired(facts(rows(900), rows(100, 30, required=30)))["quarantine_share"].startswith("notes: 30 of 100")

    def test_a_handful_of_typing_errors_in_a_small_delivery_is_no_sign(self):
        assert "quarantine_share" not in fired(facts(rows(20, 9, required=9)))
        assert "quarantine_share" in fired(facts(rows(20, 10, required=10)))

    def test_blocks_that_come_before_their_notes_wait_in_a_warehouse_and_are_broken_without_one(self):
        waiting = {"note_blocks": rows(50, 40, block_without_note=40)}
        found = NightFacts(TONIGHT, rows={"claims": rows(), "notes": rows(), **waiting})
        assert "quarantine_share" in fired(found)
        with_warehouse = NightFacts(TONIGHT, is_incremental=True, rows=found.rows)
        assert fired(with_warehouse) == {}


class TestRowsFarFromUsual:
    @pytest.mark.parametrize(("claims", "said"), [(34, {}), (33, {"rows_below_usual"})])
    def test_under_a_third_of_the_usual(self, claims, said):
        """100 / 3 = 33.3"""
        assert set(fired(facts(rows(claims)))) == set(said)

    def test_exactly_a_third_is_not_under_it(self):
        assert fired(facts(rows(33), rows(33)), [night(number, 99, 99) for number in (1, 2, 3)]) == {}

    @pytest.mark.parametrize(("claims", "said"), [(300, {}), (301, {"rows_above_usual"})])
    def test_over_three_times_the_usual(self, claims, said):
        assert set(fired(facts(rows(claims)))) == set(said)

    def test_the_sentence_says_what_was_found_and_what_is_usual(self):
        said = fired(facts(rows(33), rows(10)))["rows_below_usual"]
        assert said.startswith(
            "claims: 33 rows came, 100 are usual; notes: 10 rows came, 100 are usual (fewer than 1 in 3)"
        )

    def test_two_nights_do_not_make_a_usual(self):
        """The first delivery often holds years, the second one day."""
        assert fired(facts(rows(10)), [night(1, 5000), night(2, 5000)]) == {}
        assert "rows_below_usual" in fired(facts(rows(10)), [night(1, 5000), night(2, 5000), night(3, 5000)])

    def test_the_median_does_not_follow_one_large_first_delivery(self):
        assert fired(facts(), [night(1), night(2), night(3, 100_000, 100_000)]) == {}

    def test_a_sunday_is_held_against_sundays_too(self):
        sunday_before = [night(1), night(2), night(3), night(7, 2, 2)]
        assert fired(facts(rows(2), rows(2)), sunday_before) == {}
        assert "rows_below_usual" in fired(facts(rows(2), rows(2)), [*EARLIER, night(7)])

    def test_claims_that_come_once_a_week_are_usual_on_every_day_of_it(self):
        week = [night(number, 0) for number in range(1, 7)] + [night(number, 700) for number in (8, 15, 22)]
        week = [one | {"is_incremental": True} for one in week]
        assert fired(facts(rows(0), is_incremental=True, has_history=True), week) == {}
        assert fired(facts(rows(800), is_incremental=True, has_history=True), week) == {}

    def test_small_numbers_vary_by_themselves(self):
        few = [night(number, 19, 19) for number in (1, 2, 3)]
        assert fired(facts(rows(6), rows(6)), few) == {}
        assert "rows_below_usual" in fired(facts(rows(6), rows(6)), [night(number, 20, 20) for number in (1, 2, 3)])

    def test_a_second_delivery_of_the_same_date_is_a_part_of_that_night(self):
        nights = [one | {"is_incremental": True} for one in (night(0), *EARLIER)]
        assert fired(facts(rows(1), rows(0), is_incremental=True), nights) == {}

    def test_of_several_runs_over_one_folder_on_a_date_the_newest_stands_for_it(self):
        """Added up they would say 200 a night."""
        repeated = [night(1), night(1), night(2), night(2), night(3)]
        assert fired(facts(rows(300)), repeated) == {}
        assert "rows_above_usual" in fired(facts(rows(301)), repeated)

    def test_whole_folders_and_what_a_warehouse_takes_in_are_not_compared(self):
        assert fired(facts(rows(1), rows(1), is_incremental=True)) == {}


class TestNoNotesForClaims:
    def test_ten_claim_days_without_a_note_of_anybody(self):
        yesterday = TONIGHT - timedelta(days=1)
        assert fired(facts(dates_without_notes={yesterday: 9})) == {}
        said = fired(facts(dates_without_notes={yesterday: 10}))["no_notes_for_claims"]
        assert "2026-03-19 (10 claim days)" in said and "at least 10 claim days" in said

    def test_many_dates_are_counted_and_five_named(self):
        dates = {date(2026, 3, number): 12 for number in range(1, 9)}
        said = fired(facts(dates_without_notes=dates))["no_notes_for_claims"]
        assert "2026-03-05" in said and "2026-03-06" not in said and "and 3 more dates" in said

    def test_a_date_that_a_published_run_went_over_is_not_said_again(self):
        """A day on paper would stop every night from then on."""
        found = facts(dates_without_notes={date(2026, 3, 2): 12})
        before = night(1, dates_without_notes={"2026-03-02": 12})
        assert fired(found, [before, *EARLIER]) == {}
        few_then = night(1, dates_without_notes={"2026-03-02": 9})
        assert "no_notes_for_claims" in fired(found, [few_then, *EARLIER])


class TestNoAcceptedClaims:
    def test_one_accepted_row_is_enough(self):
        assert "no_accepted_claims" in fired(facts(rows(9, 9, required=9)))
        assert "no_accepted_claims" not in fired(facts(rows(9, 8, required=8)))

    def test_an_empty_file_is_no_audit_but_a_quiet_night_for_a_warehouse(self):
        assert "of 0 claim rows read none" in fired(facts(rows(0)))["no_accepted_claims"]
        assert fired(facts(rows(0), is_incremental=True, has_history=True)) == {}
        said = fired(facts(rows(9, 9, required=9), is_incremental=True, has_history=True))["no_accepted_claims"]
        assert said.startswith("of 9 claim rows read none was accepted (required 9)")

    def test_a_warehouse_that_holds_nothing_yet_has_no_quiet_night(self):
        assert "no_accepted_claims" in fired(facts(rows(0), is_incremental=True), [])

    def test_rows_known_already_are_accepted_rows(self):
        assert fired(facts(rows(50, duplicate=50), is_incremental=True)) == {}


class TestNoAcceptedNotes:
    def test_one_accepted_row_is_enough(self):
        said = fired(facts(notes=rows(9, 9, unreadable_date=9)))["no_accepted_notes"]
        assert said.startswith("of 9 note rows read none was accepted (unreadable_date 9): Export dates as YYYY-MM-DD")
        assert "no_accepted_notes" not in fired(facts(notes=rows(9, 8, unreadable_date=8)))
        assert "no_accepted_notes" not in fired(facts(notes=rows(9, duplicate=9)))

    def test_where_no_note_was_delivered_there_is_none_to_accept(self):
        assert "no_accepted_notes" not in fired(facts(notes=rows(0)))
        assert "no_accepted_notes" not in fired(NightFacts(TONIGHT, rows={"claims": rows()}))


class TestNoBlocksForNotes:
    YESTERDAY = TONIGHT - timedelta(days=1)

    def before(self, notes: int = 100, with_blocks: int = 100, **more) -> list[dict]:
        return [night(1, notes_with_blocks=with_blocks, **more) | {"notes": notes}]

    def without(self, count: int, **more) -> NightFacts:
        return facts(**{"notes": rows(), "dates_without_blocks": {self.YESTERDAY: count}, **more})

    def test_ten_notes_of_a_date_without_a_block_of_anybody(self):
        found = {"notes_with_blocks": 5}
        assert fired(self.without(9, **found), self.before()) == {}
        said = fired(self.without(10, **found), self.before())["no_blocks_for_notes"]
        assert said.startswith("not one block of anybody on 2026-03-19 (10 notes), where 100% of the notes before")

    def test_a_clinic_that_never_had_blocks_is_let_alone(self):
        assert fired(self.without(500), self.before(with_blocks=0)) == {}
        assert fired(self.without(500), [night()]) == {}, "runs before there was this guard know of no notes"

    def test_where_few_notes_ever_have_blocks_more_have_to_lack_them(self):
        """Of 20 notes 10 would have blocks if half of them do; of 19 it would be 9.5."""
        half = self.before(100, 50)
        assert fired(self.without(19, notes_with_blocks=5), half) == {}
        assert "where 50% of" in fired(self.without(20, notes_with_blocks=5), half)["no_blocks_for_notes"]

    def test_a_small_clinics_file_that_did_not_come_is_seen_over_all_its_dates(self):
        dates = {date(2026, 3, number): 2 for number in range(1, 6)}
        assert fired(facts(dates_without_blocks=dates, notes_with_blocks=1), self.before()) == {}
        assert "no_blocks_for_notes" in fired(facts(dates_without_blocks=dates), self.before())

    def test_a_date_that_a_published_run_went_over_is_not_said_again(self):
        went_over = self.before(dates_without_blocks={self.YESTERDAY.isoformat(): 3})
        assert fired(self.without(10), went_over) == {}

    def test_it_stops(self):
        with pytest.raises(InputRejected, match="--override-guard no_blocks_for_notes"):
            stop_or_warn(check_guards(self.without(10), self.before(), GUARDS))


class TestEmptyDelivery:
    QUIET = NightFacts(TONIGHT, is_incremental=True, has_history=True)

    @staticmethod
    def before(*rows: int) -> list[dict]:
        """Nights on a warehouse before this one, newest first, with so many rows of claims."""
        return [night(number, of, 0, is_incremental=True) for number, of in enumerate(rows, 1)]

    def test_one_row_of_any_table_is_a_delivery(self):
        assert "empty_delivery" in fired(self.QUIET, self.before(50))
        one = NightFacts(TONIGHT, True, {"note_blocks": rows(1)}, has_history=True)
        assert "empty_delivery" not in fired(one, self.before(50))

    def test_it_is_said_with_one_night_of_history_and_every_night_that_it_stays_away(self):
        said = fired(self.QUIET, self.before(50))["empty_delivery"]
        assert "(nights in a row: 1; the last rows came on 2026-03-19)" in said
        said = fired(self.QUIET, self.before(0, 0, 50))["empty_delivery"]
        assert "(nights in a row: 3; the last rows came on 2026-03-17)" in said and "not mounted" in said

    def test_a_clinic_that_rests_on_sundays_says_so_by_the_limit(self, tmp_path):
        guards = shipped(tmp_path, "empty_delivery,warn,2,nights,2026-01-01,,ours,2026-01-02")
        assert fired(self.QUIET, self.before(50), guards) == {}
        assert "empty_delivery" in fired(self.QUIET, self.before(0, 50), guards)

    def test_on_a_first_night_too(self):
        assert set(fired(NightFacts(TONIGHT), [])) == {"empty_delivery", "no_accepted_claims"}

    def test_a_second_audit_of_a_date_that_brought_rows_is_a_part_of_it(self):
        assert fired(self.QUIET, [night(0, 50, is_incremental=True)]) == {}

    def test_where_nothing_was_to_come_nothing_is_missed(self):
        """A rebuild, a file taken back, the end of a backfill."""
        assert fired(NightFacts(TONIGHT, True, has_history=True, asked_for_rows=False), self.before(50)) == {}
        rebuilt = self.before(0, 50)
        rebuilt[0]["asked_for_rows"] = False
        said = fired(self.QUIET, rebuilt)["empty_delivery"]
        assert "(nights in a row: 1; the last rows came on 2026-03-18)" in said, "a rebuild is no night"


class TestPayerNeverSeen:
    def test_a_known_payer_is_silent_and_a_new_one_is_counted(self):
        assert fired(facts(payers={"MEDICARE": PayerLines(90)})) == {}
        said = fired(facts(payers={"MEDICARE": PayerLines(90), "ACME": PayerLines(3)}))["payer_never_seen"]
        assert said.startswith("payers never seen before: 1, on 3 claim lines;")

    def test_none_is_named_for_it_may_be_a_patients_own(self):
        assert "P-1010" not in fired(facts(payers={"P-1010": PayerLines(3)}))["payer_never_seen"]

    def test_the_least_number_of_lines_is_the_users_to_say(self, tmp_path):
        guards = shipped(tmp_path, "payer_never_seen,warn,4,claim lines,2026-01-01,,ours,2026-01-02")
        assert fired(facts(payers={"ACME": PayerLines(3)}), guards=guards) == {}
        assert "payer_never_seen" in fired(facts(payers={"ACME": PayerLines(4)}), guards=guards)

    def test_runs_before_there_were_guards_know_no_payers(self):
        old = {name: value for name, value in night().items() if name not in ("payers", "dates_without_notes")}
        found = facts(payers={"ACME": PayerLines(3)}, dates_without_notes={date(2026, 3, 2): 50})
        assert fired(found, [old]) == {}

    def test_the_manifest_carries_every_payer_ever_seen_on(self):
        found = facts(payers={"ACME": PayerLines(3)})
        kept = manifest_entries(found, [night(payers=["OLDEST"])], [])
        assert (kept["payers"], kept["new_payers"]) == (["ACME", "OLDEST"], ["ACME"])


class TestReferenceCheckDue:
    def test_four_hundred_days_after_the_last_check(self):
        def checked(days_ago: int) -> NightFacts:
            return facts(reference_checks={("your payer_method.csv", TONIGHT - timedelta(days=days_ago)): 2})

        assert fired(checked(400)) == {}
        said = fired(checked(401))["reference_check_due"]
        assert said.startswith("rows last checked more than 400 days before the as-of date: 2 of your payer_method.csv")

    def test_rows_are_counted_by_file(self):
        long_ago = {date(2020, 1, 1): 3, date(2021, 1, 1): 4, TONIGHT: 5}
        found = facts(reference_checks={("the shipped code_cap.csv", on): count for on, count in long_ago.items()})
        assert "7 of the shipped code_cap.csv" in fired(found)["reference_check_due"]


class TestClockWentBack:
    def test_the_last_published_runs_date_is_the_measure(self):
        assert fired(facts(), [night(0), *EARLIER]) == {}
        said = fired(facts(), [night(-1), *EARLIER])["clock_went_back"]
        assert "2026-03-20 lies before 2026-03-21" in said


#: A night on which every guard has something to say, but the one of nothing at all.
DREADFUL = NightFacts(
    TONIGHT,
    rows={"claims": rows(30, 30, required=30), "notes": rows(30, 30), "note_blocks": rows(500)},
    payers={"ACME": PayerLines(3)},
    dates_without_notes={date(2026, 3, 2): 50},
    dates_without_blocks={date(2026, 3, 3): 50},
    reference_checks={("the shipped code_cap.csv", date(2020, 1, 1)): 1},
)
BLOCKS = {"table": "note_blocks", "rows_read": 100}
WELL_BEFORE = [
    one | {"inputs": [*one["inputs"], BLOCKS], "notes": 100, "notes_with_blocks": 90} for one in (night(-1), *EARLIER)
]
STOPS = ("quarantine_share", "no_notes_for_claims", "no_accepted_claims", "no_accepted_notes", "no_blocks_for_notes")


class TestWhatAGuardDoes:
    def test_all_of_them_can_fire(self):
        assert set(fired(DREADFUL, WELL_BEFORE)) == set(GUARD_UNITS) - {"empty_delivery"}
        assert "empty_delivery" in fired(facts(rows(0), rows(0)))

    def test_on_a_first_night_those_alone_that_compare_with_nothing(self):
        assert set(fired(DREADFUL, [])) == {"no_accepted_claims", "no_accepted_notes"}
        with pytest.raises(InputRejected, match="no_accepted_claims: of 9 claim rows read none was accepted"):
            stop_or_warn(check_guards(facts(rows(9, 9)), [], GUARDS))
        with pytest.raises(InputRejected, match="no_accepted_notes: of 9 note rows read none was accepted"):
            stop_or_warn(check_guards(facts(notes=rows(9, 9)), [], GUARDS))
        assert fired(facts(rows(9, 8), rows(9, 8)), []) == {}

    def test_a_stop_is_told_with_every_reason_and_the_way_on(self):
        results = check_guards(DREADFUL, WELL_BEFORE, GUARDS)
        with pytest.raises(InputRejected) as stopped:
            stop_or_warn(results)
        said = str(stopped.value)
        assert stopped.value.exit_code == 3 and "\n" not in said
        for guard in STOPS:
            assert f"{guard}: " in said and f"--override-guard {guard}" in said
        assert "payer_never_seen" not in said, "what only warns stops nothing"

    def test_an_overridden_stop_goes_on_and_stays_said(self):
        results = check_guards(DREADFUL, WELL_BEFORE, GUARDS, STOPS)
        stop_or_warn(results)
        assert {one.guard for one in results if one.was_overridden} == set(STOPS)
        lines = guard_lines(manifest_entries(DREADFUL, WELL_BEFORE, results)["guards"])
        assert sum(line.startswith("Guard overridden: ") for line in lines) == len(STOPS)
        assert any(line.startswith("Guard: payer_never_seen: ") for line in lines)

    def test_one_override_leaves_the_other_stops(self):
        with pytest.raises(InputRejected) as stopped:
            stop_or_warn(check_guards(DREADFUL, EARLIER, GUARDS, ("quarantine_share",)))
        assert "--override-guard quarantine_share" not in str(stopped.value)
        assert "--override-guard no_notes_for_claims" in str(stopped.value)

    def test_overriding_what_does_not_fire_is_nothing(self):
        assert not any(one.was_overridden for one in check_guards(facts(), EARLIER, GUARDS, ("quarantine_share",)))
        warned = check_guards(facts(), [night(-1)], GUARDS, ("clock_went_back",))
        assert [(one.guard, one.was_overridden) for one in warned if one.did_fire] == [("clock_went_back", False)]

    def test_an_unknown_name_is_a_usage_problem_that_names_the_known_ones(self):
        for refuse in (lambda: require_known_guards(("quarantine",)), lambda: check_guards(facts(), [], [], ("q",))):
            with pytest.raises(UsageProblem, match="known are clock_went_back, empty_delivery, no_accepted"):
                refuse()

    def test_a_users_row_decides_what_a_guard_does(self, tmp_path):
        own = (
            "quarantine_share,off,,,2026-01-01,,ours,2026-01-02",
            "no_accepted_claims,warn,,,2026-01-01,,ours,2026-01-02",
            "clock_went_back,stop,,,2026-01-01,,ours,2026-01-02",
        )
        results = {one.guard: one for one in check_guards(DREADFUL, [night(-1)], shipped(tmp_path, *own))}
        assert not results["quarantine_share"].did_fire
        assert results["no_accepted_claims"].did_fire and not results["no_accepted_claims"].does_stop
        assert results["clock_went_back"].does_stop

    def test_off_is_silent_on_a_first_night_too(self, tmp_path):
        guards = shipped(tmp_path, "no_accepted_claims,off,,,2026-01-01,,ours,2026-01-02")
        assert fired(facts(rows(9, 9)), [], guards) == {}

    def test_a_row_counts_from_its_first_day_to_the_day_before_its_end(self, tmp_path):
        own = "quarantine_share,stop,0.05,share,2026-03-20,2026-03-21,ours,2026-01-02"
        for on, limit in (
            (date(2026, 3, 19), "0.2"),
            (date(2026, 3, 20), "0.05"),
            (date(2026, 3, 21), "0.2"),
        ):
            guards = {row["guard"]: row for row in shipped(tmp_path, own, on=on)}
            assert guards["quarantine_share"]["limit"] == Decimal(limit)


def staged(con, folder, *, as_of: date = TONIGHT, reference=None):
    """An audit of a folder as far as the guards need it."""
    load_reference(con, reference)
    load_crosswalk(con, None)
    load_extracts(con, find_inputs(folder, {}, None), None)
    apply_contract(con, as_of)
    stage_rows(con, Setting(as_of))


def forget_files(con, *names: str) -> None:
    """What a warehouse holds of earlier deliveries: the rows stay, their files are not tonight's."""
    for name in names:
        con.execute(
            "delete from load_count where file_number in (select file_number from input_file where file_name like ?)",
            [f"%{name}"],
        )


class TestNightFacts:
    @pytest.fixture
    def con(self):
        with open_database() as con:
            yield con

    def test_counts_rows_reasons_and_payers_of_the_delivery(self, con, tmp_path):
        claim, note, block = day(2)
        broken = claim | {"claim_id": "C9", "billed_units": "two"}
        acme = claim | {"claim_id": "C8", "payer_id": "ACME", "patient_id": "P8"}
        denied = claim | {"claim_id": "C7", "payer_id": "DENIED", "claim_status": "denied"}
        write_extract(tmp_path, [day(1)[0], claim, claim, broken, acme, denied], [day(1)[1], note], [day(1)[2], block])
        staged(con, tmp_path)
        found = night_facts(con, TONIGHT)
        assert found.rows["claims"].read == 6
        assert (found.rows["claims"].accepted, found.rows["claims"].duplicate) == (4, 1)
        assert sum(found.rows["claims"].reasons.values()) == found.rows["claims"].quarantined == 1
        assert found.rows["notes"] == TableRows(2, 2)
        assert found.payers == {"ACME": PayerLines(1), "MEDICARE": PayerLines(2)}

    def test_a_covered_date_of_claims_without_any_note(self, con, tmp_path):
        """Notes on the 1st and the 5th cover the 3rd; the 7th lies behind the last note."""
        visits = [day(number) for number in (1, 3, 5, 7)]
        third = [visits[1][0] | {"claim_id": f"C3{n}", "patient_id": f"P3{n}"} for n in range(4)]
        second_line = third[0] | {"line_number": 2, "procedure_code": "97530"}
        denied = third[0] | {"claim_id": "C39", "patient_id": "P39", "claim_status": "denied"}
        claims = [visits[0][0], visits[2][0], visits[3][0], *third, second_line, denied]
        write_extract(tmp_path, claims, [visits[0][1], visits[2][1]], [visits[0][2], visits[2][2]])
        staged(con, tmp_path)
        assert night_facts(con, TONIGHT).dates_without_notes == {date(2026, 3, 3): 4}
        stage_rows(con, Setting(TONIGHT, since=date(2026, 3, 4)))
        assert night_facts(con, TONIGHT).dates_without_notes == {}, "only dates that are judged"

    def test_one_note_of_anybody_is_a_note(self, con, tmp_path):
        visits = [day(number) for number in (1, 3, 5)]
        someone = day(3)[1] | {"patient_id": "P99", "status": "draft"}
        claims = [visit[0] for visit in visits]
        write_extract(tmp_path, claims, [visits[0][1], someone, visits[2][1]], [])
        staged(con, tmp_path)
        assert night_facts(con, TONIGHT).dates_without_notes == {}

    def test_notes_with_and_without_blocks(self, con, tmp_path):
        """On the 3rd neither note has a block; on the 5th one of two has; a draft is none that counts."""
        visits = [day(number) for number in (1, 3, 5)]
        second, fifth = day(3)[1] | {"note_id": "N33"}, day(5)[1] | {"note_id": "N55"}
        draft = day(9)[1] | {"status": "draft"}
        notes = [*(visit[1] for visit in visits), second, fifth, draft]
        write_extract(tmp_path, [visit[0] for visit in visits], notes, [visits[0][2], visits[2][2]])
        staged(con, tmp_path)
        found = night_facts(con, TONIGHT)
        assert (found.notes, found.notes_with_blocks) == (5, 2)
        assert found.dates_without_blocks == {date(2026, 3, 3): 2}
        stage_rows(con, Setting(TONIGHT, since=date(2026, 3, 4)))
        assert night_facts(con, TONIGHT).dates_without_blocks == {}, "only dates that are judged"

    def test_a_note_that_was_set_aside_accuses_nobody(self, con, tmp_path):
        visits = [day(number) for number in (1, 3, 5)]
        broken = visits[1][1] | {"discipline": "XX"}
        write_extract(tmp_path, [visit[0] for visit in visits], [visits[0][1], broken, visits[2][1]], [])
        staged(con, tmp_path)
        assert night_facts(con, TONIGHT).dates_without_notes == {}

    def test_with_a_warehouse_only_the_deliverys_own_rows_are_counted(self, con, tmp_path):
        write_days(tmp_path, day(1), day(5))
        broken = day(2)[0] | {"billed_units": "two"}
        old = [day(3)[0] | {"claim_id": "C31", "payer_id": "OLD", "patient_id": "P31"}, broken]
        write_extract(tmp_path / "old", old, [], [])
        (tmp_path / "old" / "claims.csv").rename(tmp_path / "claims_old.csv")
        staged(con, tmp_path)
        assert night_facts(con, TONIGHT).dates_without_notes == {date(2026, 3, 3): 1}
        forget_files(con, "claims_old.csv")
        found = night_facts(con, TONIGHT, is_incremental=True)
        assert found.rows["claims"] == TableRows(2, 2)
        assert set(found.payers) == {"MEDICARE"}
        assert found.dates_without_notes == {}

    def test_rows_in_force_are_counted_by_file_and_day_of_check(self, con, tmp_path):
        header = "payer_id,counting_method,effective_from,effective_to,citation,last_checked_on"
        own = [
            "MEDICARE,ama_midpoint,2026-03-01,,ours,2025-01-15",
            "ACME,either,2026-01-01,,ours,2025-01-15",
            "ENDED,either,2025-01-01,2026-01-01,ours,2024-01-01",
        ]
        write(tmp_path / "own" / "payer_method.csv", "\n".join([header, *own]) + "\n")
        write_days(tmp_path / "extracts", day(1))
        staged(con, tmp_path / "extracts", reference=tmp_path / "own")
        checks = night_facts(con, TONIGHT, reference=tmp_path / "own").reference_checks
        assert {day: rows for (file, day), rows in checks.items() if file == "your payer_method.csv"} == {
            date(2025, 1, 15): 2
        }
        shipped_rows = [rows for (file, _), rows in checks.items() if file == "the shipped payer_method.csv"]
        assert sum(shipped_rows) == 1, "MEDICARE is laid over; any other payer stays"


class TestEarlierManifests:
    @staticmethod
    def publish(out, number: int, **more) -> str:
        """Writes the manifest of run `number`, finished on that day of March, and makes it the current one."""
        run_id = f"2026-03-{number:02d}-run"
        previous = f"2026-03-{number - 1:02d}-run" if number > 1 else None
        manifest = {
            "run_id": run_id,
            "previous_run": previous,
            "as_of": f"2026-03-{number:02d}",
            "finished_at": f"2026-03-{number:02d}T03:00:00+00:00",
            "inputs": [],
        }
        write(out / "runs" / run_id / "manifest.json", json.dumps(manifest | more))
        write(out / "current", run_id + "\n")
        return run_id

    def days(self, out) -> list[int]:
        return [int(manifest["as_of"][-2:]) for manifest in earlier_manifests(out)]

    def test_none_before_the_first_run(self, tmp_path):
        assert earlier_manifests(tmp_path / "out") == []

    def test_newest_first_and_twenty_at_most(self, tmp_path):
        for number in range(1, 26):
            self.publish(tmp_path, number)
        assert self.days(tmp_path) == list(range(25, 5, -1))

    @pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"as_of": 3}', None])
    def test_one_that_is_broken_or_gone_is_passed_over(self, tmp_path, broken):
        for number in (1, 2, 3, 4):
            self.publish(tmp_path, number)
        path = tmp_path / "runs" / "2026-03-03-run" / "manifest.json"
        path.unlink() if broken is None else path.write_text(broken)
        assert self.days(tmp_path) == [4, 2, 1]

    def test_a_broken_current_run_leaves_those_before_it(self, tmp_path):
        for number in (1, 2):
            self.publish(tmp_path, number)
        write(tmp_path / "runs" / "2026-03-02-run" / "manifest.json", "{")
        assert self.days(tmp_path) == [1]

    def test_runs_beside_the_chain_are_no_nights(self, tmp_path):
        self.publish(tmp_path, 1)
        self.publish(tmp_path, 2, since="2026-02-01")
        self.publish(tmp_path, 3, previous_run="2026-03-01-run")
        self.publish(tmp_path, 4)
        assert self.days(tmp_path) == [4, 3, 1]
        write(tmp_path / "runs" / "2026-03-03-run" / "manifest.json", "{")
        assert self.days(tmp_path) == [4, 1]

    def test_a_chain_that_bites_its_tail_ends(self, tmp_path):
        self.publish(tmp_path, 1, previous_run="2026-03-02-run")
        self.publish(tmp_path, 2)
        assert self.days(tmp_path) == [2, 1]

    def test_a_name_that_leaves_the_runs_folder_is_not_followed(self, tmp_path):
        self.publish(tmp_path / "other", 1)
        self.publish(tmp_path / "out", 2, previous_run="../../other/runs/2026-03-01-run")
        assert self.days(tmp_path / "out") == [2]


class TestEarlierNights:
    """What was usual is carried from run to run, so that removing old runs does not change it."""

    @staticmethod
    def chain(*counts: int) -> list[dict]:
        """The manifests of nights with so many claims, oldest first in `counts`; newest first as they are given."""
        manifests: list[dict] = []
        for number, claims in enumerate(counts):
            on = TONIGHT - timedelta(days=len(counts) - number)
            tonight = NightFacts(on, rows={"claims": rows(claims)}, notes=claims, notes_with_blocks=claims - 1)
            kept = manifest_entries(tonight, manifests, [])
            manifests.insert(0, night(len(counts) - number, claims, 0) | kept)
        return manifests

    def test_removed_runs_still_say_what_is_usual(self):
        manifests = self.chain(100, 110, 90, 100, 5)
        assert [one.rows["claims"] for one in earlier_nights(manifests)] == [5, 100, 90, 110, 100]
        for left in (manifests[:1], manifests[:2], [manifests[0], manifests[3]]):
            assert earlier_nights(left) == earlier_nights(manifests)
        assert "claims: 17 rows came, 100 are usual" in fired(facts(rows(17)), manifests[:1])["rows_below_usual"]

    def test_notes_and_blocks_are_carried_too(self):
        newest = self.chain(100, 50)[0]
        assert [(one.notes, one.notes_with_blocks) for one in earlier_nights([newest])] == [(50, 49), (100, 99)]

    def test_so_many_nights_and_no_more(self):
        manifests = self.chain(*range(1, 2 * MOST_NIGHTS))
        assert len(earlier_nights(manifests[:1])) == MOST_NIGHTS
        assert earlier_nights(manifests[:1])[0].rows["claims"] == 2 * MOST_NIGHTS - 1

    @pytest.mark.parametrize(
        "edited",
        ["nights", 3, [3], [{}], [{"as_of": "soon", "is_incremental": False, "rows": {}}]]
        + [[{"as_of": "2026-03-01", "is_incremental": False, "rows": rows}] for rows in (3, {"claims": "many"})],
    )
    def test_what_somebody_edited_is_read_from_the_runs_before(self, edited):
        manifests = self.chain(100, 110, 90)
        manifests[0]["nights"] = edited
        assert [one.rows["claims"] for one in earlier_nights(manifests)] == [90, 110, 100]


def test_the_page_says_what_the_shipped_rows_say():
    page = (Path(__file__).parents[1] / "docs" / "guards.md").read_text(encoding="utf-8")
    for row in GUARDS:
        limit = f"{row['limit'].normalize():f} {row['unit']}" if row["limit"] is not None else "none"
        told = next(line for line in page.splitlines() if line.startswith(f"| `{row['guard']}` |"))
        assert f"| {limit} | {row['action']} |" in told
