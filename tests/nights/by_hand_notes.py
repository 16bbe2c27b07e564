"""More sequences written by hand: notes, their blocks, corrections of claims, and what moves without any file."""

from datetime import date

from .by_hand import BOTH, EXCEED, HONEST, ONE, THREE, TWO
from .told import After, Told, base, block, claim, night, note, visit

#: Visits on either side of March 2 and 3, so that both extracts cover it.
AROUND = (visit(3, "2026-03-01"), visit(4, "2026-03-06"))
OTHERS = {"C3: 2 units", "C4: 2 units", "N3 v1: signed", "N4 v1: signed"}
UNBILLED = visit(2, "2026-03-03") | {"claims": []}
NOT_BILLED = {"documented_day_not_billed"}
EARLIER = date(1990, 1, 1)

DOCUMENTING = [
    Told(
        "a block that comes before its note is laid on it once it is there",
        [
            (
                night(base(*AROUND, ONE) | {"notes.csv": [*AROUND[0]["notes"], *AROUND[1]["notes"]]}),
                After(OTHERS | {"C1: 2 units"}, {"billed_day_not_documented"}, aside=["block_without_note"]),
            ),
            (night({"notes_2.csv": ONE["notes"]}), After(OTHERS | HONEST)),
        ],
    ),
    Told(
        "two blocks that contradict each other stand aside, and the earlier one of their key waits on for its note",
        [
            (
                night(base(*AROUND, ONE) | {"notes.csv": [*AROUND[0]["notes"], *AROUND[1]["notes"]]}),
                After(OTHERS | {"C1: 2 units"}, {"billed_day_not_documented"}, aside=["block_without_note"]),
            ),
            (
                night({"note_blocks_2.csv": [block(minutes=20)], "note_blocks_3.csv": [block(minutes=40)]}),
                After(
                    OTHERS | {"C1: 2 units"},
                    {"billed_day_not_documented"},
                    aside=["block_without_note", "key_used_twice", "key_used_twice"],
                ),
            ),
            (
                night({"notes_2.csv": ONE["notes"]}),
                After(OTHERS | HONEST, aside=["key_used_twice", "key_used_twice"], unjudged={"P1 2026-03-02"}),
            ),
        ],
    ),
    Told(
        "a block that differs by its time of day alone takes the place of one that waits for its note",
        [
            (
                night(
                    base(*AROUND, ONE)
                    | {
                        "notes.csv": [*AROUND[0]["notes"], *AROUND[1]["notes"]],
                        "note_blocks.csv": [
                            *AROUND[0]["note_blocks"],
                            *AROUND[1]["note_blocks"],
                            block(started_at="09:00", ended_at="09:30"),
                        ],
                    }
                ),
                After(OTHERS | {"C1: 2 units"}, {"billed_day_not_documented"}, aside=["block_without_note"]),
            ),
            (
                night({"note_blocks_2.csv": [block(started_at="09:00", ended_at="09:10")]}),
                After(OTHERS | {"C1: 2 units"}, {"billed_day_not_documented"}, aside=["block_without_note"]),
            ),
            (
                night({"notes_2.csv": ONE["notes"]}),
                After(OTHERS | HONEST, {"billed_units_exceed_minutes", "stated_minutes_exceed_clock"}),
            ),
        ],
    ),
    Told(
        "until the first file of blocks comes, a note without a total says nothing of its minutes",
        [
            (
                night({"claims.csv": [claim(units=3)], "notes.csv": ONE["notes"]}),
                After({"C1: 3 units", "N1 v1: signed"}, unjudged={"P1 2026-03-02"}),
            ),
            (night({"note_blocks.csv": [block()]}), After({"C1: 3 units", "N1 v1: signed"}, EXCEED)),
        ],
    ),
    Told(
        "an amended version takes over, with blocks of its own: 22 minutes are 1 unit",
        [
            (night(base(ONE)), After(HONEST)),
            (
                night(
                    {
                        "notes_2.csv": [note(note_version="2", status="amended")],
                        "note_blocks_2.csv": [block(minutes=22, note_version="2")],
                        "note_blocks.csv": [block(note_version="1")],
                    }
                ),
                # The block without a version still belongs to the version that counts: 30 + 22 minutes.
                After(HONEST | {"N1 v2: amended"}, {"billed_units_below_minutes"}),
            ),
        ],
    ),
    Told(
        "a draft is no note for the bill until it is signed",
        [
            (
                night(base(ONE) | {"notes.csv": [note(status="draft")]}),
                After({"C1: 2 units", "N1 v1: draft"}, {"billed_on_unsigned_note"}),
            ),
            (night({"notes_2.csv": [note()]}), After(HONEST)),
        ],
    ),
    Told(
        "times of the clock follow their note to another day, full timestamps do not",
        [
            (
                night(
                    base(ONE, TWO)
                    | {
                        "note_blocks.csv": [
                            block(started_at="09:00", ended_at="09:30"),
                            block("N2", started_at="2026-03-03 09:00", ended_at="2026-03-03 09:30"),
                        ]
                    }
                ),
                After(BOTH),
            ),
            (
                night(
                    {
                        "claims_2.csv": [claim(on="2026-02-27"), claim("C2", 2, "2026-02-26", "P2")],
                        "notes_2.csv": [note(on="2026-02-27"), note("N2", "2026-02-26", "P2")],
                    }
                ),
                After(BOTH, aside=["clock_off_service_date"], unjudged={"P2 2026-02-26"}),
            ),
        ],
    ),
]

CORRECTING = [
    Told(
        "a void takes its claim away; the day was documented and is not billed",
        [
            (night(base(visit(1, "2026-03-02", 3))), After({"C1: 3 units", "N1 v1: signed"}, EXCEED)),
            (
                night({"claims_2.csv": [claim("C9", 3, claim_frequency_code="8", original_claim_id="C1")]}),
                After({"C1: 3 units", "C9: 3 units", "N1 v1: signed"}, NOT_BILLED),
            ),
        ],
    ),
    Told(
        "a replacement may come before its original",
        [
            (
                night(base(ONE) | {"claims.csv": [claim("C9", 2, claim_frequency_code="7", original_claim_id="C1")]}),
                After({"C9: 2 units", "N1 v1: signed"}),
            ),
            (night({"claims_2.csv": [claim(units=4)]}), After({"C1: 4 units", "C9: 2 units", "N1 v1: signed"})),
        ],
    ),
    Told(
        "a void that could not be read leaves open what its claim still bills",
        [
            (night(base(visit(1, "2026-03-02", 3))), After({"C1: 3 units", "N1 v1: signed"}, EXCEED)),
            (
                night(
                    {"claims_2.csv": [claim("C9", "?", "2026-03-05", claim_frequency_code="8", original_claim_id="C1")]}
                ),
                After(
                    {"C1: 3 units", "N1 v1: signed"},
                    aside=["unreadable_number"],
                    unjudged={"P1 2026-03-02", "P1 2026-03-05"},
                ),
            ),
        ],
    ),
]

NAMED = claim("C9", 3, claim_frequency_code="7", original_claim_id="ICN-1")
SECOND_EDITION = [
    Told(
        "a line over several dates leaves them all open, those without any row too, and gives them back",
        [
            (night(base(visit(1, "2026-03-02", 3))), After({"C1: 3 units", "N1 v1: signed"}, EXCEED)),
            (
                night({"claims_2.csv": [claim(units=3, service_date_to="2026-03-04")]}),
                After(
                    {"C1: 3 units", "N1 v1: signed"},
                    unjudged={"P1 2026-03-02", "P1 2026-03-03", "P1 2026-03-04"},
                ),
            ),
            (
                night({"claims_3.csv": [claim(units=3, service_date_to="2026-03-03")]}),
                After({"C1: 3 units", "N1 v1: signed"}, unjudged={"P1 2026-03-02", "P1 2026-03-03"}),
            ),
            (night({"claims_4.csv": THREE}), After({"C1: 3 units", "N1 v1: signed"}, EXCEED)),
        ],
    ),
    Told(
        "a replacement finds its original when the payer's number of that is told, nights later",
        [
            (
                night(base(ONE) | {"claims_9.csv": [NAMED]}),
                After({"C9: 3 units"} | HONEST, unjudged={"P1 2026-03-02"}),
            ),
            (
                night({"claims_2.csv": [claim(payer_claim_id="ICN-1")]}),
                After({"C9: 3 units"} | HONEST, EXCEED),
            ),
            (night({"claims_3.csv": ONE["claims"]}), After({"C9: 3 units"} | HONEST, unjudged={"P1 2026-03-02"})),
        ],
    ),
    Told(
        "a row whose date nobody can read leaves every date of its patient open, and nobody else's",
        [
            (
                night(base(visit(1, "2026-03-02", 3), visit(2, "2026-03-03", 3))),
                After({"C1: 3 units", "N1 v1: signed", "C2: 3 units", "N2 v1: signed"}, EXCEED),
            ),
            (
                night({"claims_2.csv": [claim("C8", 0, "2026-02-30"), claim("C7", 0, "2026-02-30", "P2")]}),
                After(
                    {"C1: 3 units", "N1 v1: signed", "C2: 3 units", "N2 v1: signed"},
                    aside=["unreadable_date"] * 2,
                    unjudged={"P1 2026-03-02", "P2 2026-03-03"},
                ),
            ),
            (
                night({"claims_3.csv": [claim("C8", 0)]}),
                After(
                    {"C1: 3 units", "N1 v1: signed", "C2: 3 units", "N2 v1: signed", "C8: 0 units"},
                    EXCEED,
                    aside=["unreadable_date"],
                    unjudged={"P2 2026-03-03"},
                ),
            ),
        ],
    ),
    Told(
        "units of several payers on a day are nobody's to judge, from the night on which the second one comes",
        [
            (night(base(visit(1, "2026-03-02", 3))), After({"C1: 3 units", "N1 v1: signed"}, EXCEED)),
            (
                night({"claims_2.csv": [claim("C2", 1, payer_id="OTHER")]}),
                After({"C1: 3 units", "C2: 1 units", "N1 v1: signed"}, {"day_billed_to_several_payers"}),
            ),
        ],
    ),
]

MOVING = [
    Told(
        "5 days after the visit a documented day should have been billed",
        [
            (night(base(*AROUND, UNBILLED), "2026-03-07"), After(OTHERS | {"N2 v1: signed"})),
            (night({}, "2026-03-08"), After(OTHERS | {"N2 v1: signed"}, NOT_BILLED)),
            (night({}, "2026-03-07"), After(OTHERS | {"N2 v1: signed"})),
        ],
    ),
    Told(
        "a longer billing lag spares the day",
        [
            (night(base(*AROUND, UNBILLED)), After(OTHERS | {"N2 v1: signed"}, NOT_BILLED)),
            (
                night(
                    {}, reference={"parameters": [{"name": "billing_lag_days", "value": 30, "effective_from": EARLIER}]}
                ),
                After(OTHERS | {"N2 v1: signed"}),
            ),
        ],
    ),
    Told(
        "what was outside the dates that both extracts cover comes under judgement when they grow",
        [
            (
                night(base(ONE, visit(2, "2026-03-05")) | {"notes.csv": ONE["notes"], "note_blocks.csv": [block()]}),
                After(HONEST | {"C2: 2 units"}),
            ),
            (
                night({f"{name[:-4]}_2.csv": rows for name, rows in base(AROUND[1]).items()}),
                After(HONEST | {"C2: 2 units", "C4: 2 units", "N4 v1: signed"}, {"billed_day_not_documented"}),
            ),
        ],
    ),
    Told(
        "a new cap row judges old days too",
        [
            (night(base(ONE)), After(HONEST)),
            (
                night(
                    {},
                    reference={
                        "code_cap": [
                            {
                                "procedure_code": "97110",
                                "cap_units": 1,
                                "adjudication_indicator": 2,
                                "effective_from": EARLIER,
                            }
                        ]
                    },
                ),
                After(HONEST, {"units_exceed_day_cap"}),
            ),
        ],
    ),
    Told(
        "a payer that turns out to count the other way judges old days too: 20 and 20 minutes are 3 units, or 2",
        [
            (
                night(
                    {
                        "claims.csv": [claim(units=2), claim(units=1, line_number="2", procedure_code="97140")],
                        "notes.csv": ONE["notes"],
                        "note_blocks.csv": [
                            block(minutes=20),
                            block(minutes=20, block_number="2", procedure_code="97140"),
                        ],
                    }
                ),
                After({"C1: 2 units", "C1: 1 units", "N1 v1: signed"}),
            ),
            (
                night(
                    {},
                    reference={
                        "payer_method": [
                            {"payer_id": "MEDICARE", "counting_method": "ama_midpoint", "effective_from": EARLIER}
                        ]
                    },
                ),
                After({"C1: 2 units", "C1: 1 units", "N1 v1: signed"}, EXCEED),
            ),
        ],
    ),
]
