"""Sequences of nights written by hand: rows that take the place of others, and rows that give it back.

Visits are 30 minutes of 97110 for Medicare: 2 units are right (23 to 37 minutes), 3 exceed the minutes."""

from .told import After, Told, base, block, claim, night, note, visit

EXCEED = {"billed_units_exceed_minutes"}
ONE = visit(1, "2026-03-02")
TWO = visit(2, "2026-03-03")
BOTH = {"C1: 2 units", "C2: 2 units", "N1 v1: signed", "N2 v1: signed"}
HONEST = {"C1: 2 units", "N1 v1: signed"}
GREEDY = {"C1: 3 units", "N1 v1: signed"}
OTHERS = {f"C{n}: 2 units" for n in (2, 3, 4)} | {f"N{n} v1: signed" for n in (2, 3, 4)}
THREE = [claim(units=3)]

TAKING_PLACE = [
    Told(
        "a later row takes the place of the one of its key",
        [
            (night(base(ONE)), After(HONEST)),
            (night({"claims_2.csv": THREE}), After(GREEDY, EXCEED)),
        ],
    ),
    Told(
        "a row absent from a later delivery of its file stays",
        [
            (night(base(ONE, TWO)), After(BOTH)),
            (night({"claims.csv": TWO["claims"], "notes.csv": TWO["notes"]}), After(BOTH, repeats=2)),
        ],
    ),
    Told(
        "a file gone from the folder takes nothing away",
        [
            (night(base(ONE) | {"claims_2.csv": TWO["claims"]}), After(HONEST | {"C2: 2 units"})),
            (night({"claims_2.csv": None}), After(HONEST | {"C2: 2 units"})),
        ],
    ),
    Told(
        "the row delivered last stands, be it the first version of a file again",
        [
            (night(base(ONE)), After(HONEST)),
            (night({"claims.csv": THREE}), After(GREEDY, EXCEED)),
            (night(base(ONE)), After(HONEST, repeats=0)),
        ],
    ),
    Told(
        "the same row in another file and writing is a repeat and changes nothing",
        [
            (night(base(ONE)), After(HONEST, repeats=0)),
            (night({"claims_2.csv": [claim(procedure_code="97110.0", modifiers=" gp ")]}), After(HONEST, repeats=1)),
        ],
    ),
    Told(
        "the same bytes under the same name are no delivery, under another name they are repeats",
        [
            (night(base(ONE)), After(HONEST, repeats=0)),
            (night(base(ONE)), After(HONEST, repeats=0)),
            (night({"claims_2.csv": ONE["claims"]}), After(HONEST, repeats=1)),
        ],
    ),
]

REMOVING = [
    Told(
        "a removed file gives back what it had taken the place of",
        [
            (night(base(ONE)), After(HONEST)),
            (night({"claims_2.csv": THREE}), After(GREEDY, EXCEED)),
            (night({"claims_2.csv": None}, removed=["claims_2.csv"]), After(HONEST)),
        ],
    ),
    Told(
        "all versions of a removed file go",
        [
            (night(base(ONE)), After(HONEST)),
            (night({"claims_2.csv": TWO["claims"]}), After(HONEST | {"C2: 2 units"})),
            (night({"claims_2.csv": THREE}), After(GREEDY | {"C2: 2 units"}, EXCEED)),
            (night({"claims_2.csv": None}, removed=["claims:claims_2.csv"]), After(HONEST)),
        ],
    ),
    Told(
        "a row that another file repeated outlives its first file",
        [
            (night(base(ONE)), After(HONEST)),
            (night({"claims_2.csv": [*ONE["claims"], *TWO["claims"]]}), After(HONEST | {"C2: 2 units"}, repeats=1)),
            (night({"claims.csv": None}, removed=["claims.csv"]), After(HONEST | {"C2: 2 units"}, repeats=0)),
        ],
    ),
    Told(
        "a removed file may come again, and is new then",
        [
            (
                night(base(ONE) | {"claims_2.csv": THREE}, as_of="2026-03-19"),
                After({"N1 v1: signed"}, aside=["key_used_twice"] * 2, unjudged={"P1 2026-03-02"}),
            ),
            (night({"claims_2.csv": None}, removed=["claims_2.csv"]), After(HONEST)),
            (night({"claims_2.csv": THREE}), After(GREEDY, EXCEED)),
        ],
    ),
    Told(
        "with its notes removed, a day in the middle was billed and not documented; the blocks are left over",
        [
            (night(base(TWO, visit(3, "2026-03-01"), visit(4, "2026-03-04"))), After(OTHERS)),
            (
                night({"claims_b.csv": ONE["claims"], "notes_b.csv": ONE["notes"], "note_blocks_b.csv": [block()]}),
                After(OTHERS | HONEST),
            ),
            (
                night({"notes_b.csv": None}, removed=["notes_b.csv"]),
                After(
                    OTHERS | {"C1: 2 units"},
                    {"billed_day_not_documented"},
                    aside=["block_without_note"],
                ),
            ),
        ],
    ),
]

BROKEN = claim(units="two")
KEYLESS = claim(line_number="")
GREEDIES = GREEDY | {"C2: 3 units", "N2 v1: signed"}
DOUBT = {"P1 2026-03-02"}
BREAKING = [
    Told(
        "a broken row takes nothing away, but nobody is accused on its day until a sound row of its key comes",
        [
            (night(base(visit(1, "2026-03-02", 3))), After(GREEDY, EXCEED)),
            (night({"claims_2.csv": [BROKEN]}), After(GREEDY, aside=["unreadable_number"], unjudged=DOUBT)),
            (night({"claims_3.csv": [claim(units=4)]}), After({"C1: 4 units", "N1 v1: signed"}, EXCEED)),
        ],
    ),
    Told(
        "even a row like the one in force says that the broken one is settled",
        [
            (night(base(visit(1, "2026-03-02", 3))), After(GREEDY, EXCEED)),
            (night({"claims_2.csv": [BROKEN]}), After(GREEDY, aside=["unreadable_number"], unjudged=DOUBT)),
            (night({"claims_3.csv": THREE}), After(GREEDY, EXCEED, repeats=1)),
        ],
    ),
    Told(
        "the broken row's file again, without that row, settles nothing: it may be a nightly file of changes",
        [
            (night(base(visit(1, "2026-03-02", 3))), After(GREEDY, EXCEED)),
            (night({"claims_2.csv": [BROKEN]}), After(GREEDY, aside=["unreadable_number"], unjudged=DOUBT)),
            (
                night({"claims_2.csv": TWO["claims"]}),
                After(GREEDY | {"C2: 2 units"}, aside=["unreadable_number"], unjudged=DOUBT),
            ),
        ],
    ),
    Told(
        "a row without a readable key stands once, however often its file brings it",
        [
            (night(base(ONE)), After(HONEST)),
            (night({"claims_2.csv": [KEYLESS]}), After(HONEST, aside=["missing_value"], unjudged=DOUBT)),
            (
                night({"claims_2.csv": [*TWO["claims"], KEYLESS]}),
                After(HONEST | {"C2: 2 units"}, aside=["missing_value"], unjudged=DOUBT),
            ),
            (night({"claims_2.csv": None}, removed=["claims_2.csv"]), After(HONEST)),
        ],
    ),
    Told(
        "naming the broken row's file as removed settles it",
        [
            (night(base(visit(1, "2026-03-02", 3))), After(GREEDY, EXCEED)),
            (night({"claims_2.csv": [BROKEN]}), After(GREEDY, aside=["unreadable_number"], unjudged=DOUBT)),
            (night({"claims_2.csv": None}), After(GREEDY, aside=["unreadable_number"], unjudged=DOUBT)),
            (night({}, removed=["claims_2.csv"]), After(GREEDY, EXCEED)),
        ],
    ),
    Told(
        "of two broken rows of a key the later one stands: the day that only the first named is judged again",
        [
            (night(base(visit(1, "2026-03-02", 3), visit(2, "2026-03-03", 3))), After(GREEDIES, EXCEED)),
            (
                night({"claims_2.csv": [BROKEN | {"patient_id": "P2", "service_date": "2026-03-03"}]}),
                After(GREEDIES, aside=["unreadable_number"], unjudged=DOUBT | {"P2 2026-03-03"}),
            ),
            (
                night({"claims_3.csv": [BROKEN]}),
                After(GREEDIES, EXCEED, aside=["unreadable_number"], unjudged=DOUBT),
            ),
            (night({"claims_4.csv": ONE["claims"]}), After(GREEDIES - GREEDY | HONEST, EXCEED)),
        ],
    ),
    Told(
        "two rows of one key in one delivery: neither stands, and the one in force does",
        [
            (night(base(ONE)), After(HONEST)),
            (
                night({"claims_2.csv": THREE, "claims_3.csv": [claim(units=4)]}),
                After(HONEST, aside=["key_used_twice"] * 2, unjudged=DOUBT),
            ),
            (night({"claims_4.csv": THREE}), After(GREEDY, EXCEED)),
        ],
    ),
    Told(
        "two rows alike in one delivery are one row",
        [(night(base(ONE) | {"claims_2.csv": ONE["claims"]}), After(HONEST, repeats=1))],
    ),
    Told(
        "a broken note takes its blocks that name no version with it, and leaves the version in force",
        [
            (night(base(ONE)), After(HONEST)),
            (
                night({"notes_2.csv": [note(note_version="2", total_timed_minutes="all")]}),
                After(HONEST, aside=["note_quarantined", "unreadable_number"], unjudged=DOUBT),
            ),
            (
                night({"notes_3.csv": [note(note_version="2", total_timed_minutes="30", status="amended")]}),
                After(HONEST | {"N1 v2: amended"}),
            ),
        ],
    ),
    Told(
        "a date is judged once, by the as-of date of the run that read it",
        [
            (
                night(base(ONE) | {"claims_2.csv": [claim("C2", 2, "2026-03-06", "P2")]}, as_of="2026-03-04"),
                After(HONEST, aside=["date_out_of_range"]),
            ),
            (night({}), After(HONEST, aside=["date_out_of_range"])),
            (
                night({"claims_2.csv": [claim("C2", 1, "2026-03-06", "P2")]}),
                After(HONEST | {"C2: 1 units"}),
            ),
        ],
    ),
]
