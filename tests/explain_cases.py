"""What `minutewise explain` has to say of planted sample cases, worked out by hand from ledger and rule book.

And the published runs that it is asked of.
"""

import json
from datetime import date
from pathlib import Path

import duckdb

from flows.explanation.derive.many import derive_many
from flows.run.audit import run_audit
from flows.settings import AuditSettings
from transforms.database.duckdb_file import rows_as_dicts

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
AS_OF = date(2026, 11, 10)


def audited(out: Path, extracts: Path, as_of: date, reference: Path | None = None, **more) -> Path:
    """The folder of a published run; Great Expectations is left out, for these tests are not about it."""
    asked = AuditSettings(out=out, as_of=as_of, extracts=extracts, reference=reference, allow_low_match=True, **more)
    return run_audit(asked).folder


def finding_ids(folder: Path) -> dict[tuple, str]:
    """finding_id by rule, patient, date and code, and by None for the code where the whole day is meant."""
    ids: dict[tuple, str] = {}
    for row in findings_of(folder):
        subject = (row["rule_id"], row["patient_id"], row["service_date"].isoformat())
        ids[*subject, row["procedure_code"]] = ids[*subject, None] = row["finding_id"]
    return ids


def findings_of(folder: Path) -> list[dict]:
    """The published findings of a run, by finding_id."""
    with duckdb.connect() as con:
        path = str(folder / "findings.parquet")
        return rows_as_dicts(con, "select * from read_parquet(?) order by finding_id", [path])


def manifest_of(folder: Path) -> dict:
    """The run's manifest."""
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def derived_at_once(folder: Path, findings: list[dict] | None = None) -> list[dict]:
    """The derivations of findings of a run, of all where none are given."""
    return derive_many(folder, manifest_of(folder), findings_of(folder) if findings is None else findings)


#: (rule, patient, date, code) of planted cases -> what the text has to say. The arithmetic stands beside each.
EXPECTED = {
    # 24 + 23 = 47 minutes: 38-52, 3 units; 2 + 2 = 4 billed; one unit of two on a line of 72.00
    ("billed_units_exceed_minutes", "P-1008", "2026-10-29", None): [
        "W = 24 + 23 = 47, C = 24 + 23 = 47, T = 47 = W: supported",
        "47 minutes lie in 38-52: 3 units, floor((47 + 7) / 15) = 3",
        "The one lawful split: 97112 x2, 97110 x1",
        "97110 23 floor((23 + 7) / 15) = 2",
        "together 4 units",
        "4 > 3: 1 unit too many.",
        "allowed $72.00 / 2 x 1 = $36.00",
    ],
    # AMA: 20 is 1, 18 is 1; CMS would make 38 minutes 3 units
    ("billed_units_exceed_minutes", "P-1014", "2026-10-14", None): [
        "Payer DEMO-PPO counts by the AMA midpoint",
        "AMA counts each code alone: 1 + 1 = 2.",
        "38 minutes lie in 38-52: 3 units",
        "3 > 2: 1 unit too many.",
    ],
    # 97129 + 97130 (33.00 and 30.00) on a note of speech treatment only: 0 minutes
    ("billed_units_exceed_minutes", "P-1036", "2026-10-07", None): [
        "97130 counts as 97129",
        "Billed 97129 x2. CMS counts 0 minutes as floor((0 + 7) / 15) = 0.",
        "At risk in all: $63.00",
    ],
    # the claim of 2 units replaced by one of 3 on 30 minutes: 23-37, 2 units
    ("billed_units_exceed_minutes", "P-1029", "2026-10-22", None): [
        "gone: see C-20166",
        "30 minutes lie in 23-37: 2 units",
        "3 > 2: 1 unit too many.",
    ],
    # two notes on one date, 20 + 18: one therapy day of 38 minutes
    ("billed_units_below_minutes", "P-1003", "2026-10-05", None): [
        "38 minutes lie in 38-52: 3 units, floor((38 + 7) / 15) = 3",
        "2 < 3: 1 unit not billed, and no cap explains it.",
        "97112  MUE     BP-01        4  3: more if justified       1",
    ],
    # 20 + 20: after one unit each 5 and 5 are left, a tie for the third; three of one code never
    ("units_on_wrong_code", "P-1011", "2026-10-28", None): [
        "2 lawful splits: 97110, 97112 are tied for the last 1 unit, any is right:",
        "97110 x2, 97112 x1",
        "97112 x2, 97110 x1",
        "5 unpaid, a tie with 97110",
        "97112: 20 minutes, billed 3 > 2 in the nearest lawful split: 1 unit on the wrong code.",
    ],
    ("billed_code_not_documented", "P-1009", "2026-10-23", "97140"): [
        "Billed 97140 x1. The blocks of the day's counting notes document: 97110",
        "1 of 1 unit at risk: allowed $36.00",
    ],
    # the only note is void in its second version; both extracts cover October from the 1st
    ("billed_day_not_documented", "P-1005", "2026-10-29", None): [
        "N-30116  2  PT-01      void    void",
        "Notes of PT on the day: 0 counting, 0 not billable, 0 drafts.",
        "both    2026-10-01  2026-10-30",
    ],
    ("billed_on_unsigned_note", "P-1012", "2026-10-05", None): [
        "0 counting, 0 not billable, 1 draft.",
        "3 of 3 units at risk: allowed $108.00",
    ],
    ("billed_note_marked_not_billable", "P-1013", "2026-10-12", None): [
        "0 counting, 1 not billable, 0 drafts.",
        "At risk in all: $72.00",
    ],
    # 30 minutes are 2 units; 2026-11-10 less 5 days; the claim was voided by the next
    ("documented_day_not_billed", "P-1022", "2026-10-30", None): [
        "CMS counts 30 minutes as floor((30 + 7) / 15) = 2; AMA counts each code alone: 2.",
        "gone: see C-20121",
        "less 5 days of billing lag is 2026-11-05: 2026-10-30 is not later",
    ],
    # 30 from 13:53, 30 from 14:08: the second holds 15 of its own
    ("minutes_counted_twice", "P-1001", "2026-10-14", "97110"): [
        "B 97110                    xxxxxxxxxxxxxxx###############",
        "A covers the clock until 14:23, 15 of its own are",
        "30 - 15 = 15 double-counted",
        "W = 30 + 30 = 60, C = 30 + 15 = 45, T = 60 = W",
        "undecidable (15 minutes of its blocks double-counted)",
    ],
    # three times 20 in a visit of 45: 20 + 20 + 5, the second's and third's out of rests
    ("minutes_counted_twice", "P-1002", "2026-10-21", "97112"): [
        "then 20 of rests in the run are given back: 20.",
        "then 5 of rests in the run are given back: 5; 20 - 5 = 15",
        "C = 20 + 20 + 5 = 45",
    ],
    # 45 + 30 minutes in the hour from 08:00
    ("therapist_in_two_places", "P-1008", "2026-10-15", None): [
        "credited 45 + 30 = 75 minutes; the run covers 60: 75 - 60 =",
        "B P-1021 97530                                !!!!!!!!!!!!!!!###############",
        "A (P-1008) and B (P-1021) share 08:30-08:45, 15 minutes.",
    ],
    ("block_minutes_exceed_note_total", "P-1008", "2026-10-01", None): [
        "W = 50 > T = 45: the blocks hold 5 minutes more than the total.",
        "supported = min(T, C) = min(45, 50) = 45",
    ],
    # 45 stated over 30 of blocks: the 15 between are in no block
    ("note_total_exceeds_blocks", "P-1010", "2026-10-07", None): [
        "T = 45 > W = 30: 15 minutes of the total are in no block.",
        "supported = T - (W - C) = 45 - (30 - 30) = 45; 15 of T have",
        "Sure: 30 minutes lie in 23-37: 2 units",
    ],
    ("stated_minutes_exceed_clock", "P-1001", "2026-10-02", "97112"): [
        # the clock of 09:50:40 to 10:15:40 holds 25 minutes to the second
        "Block A: 26 stated > 25 held by 09:50:40-10:15:40: 1 above.",
        "worth the smaller, 25",
    ],
    # PT 4 and OT 3 of one billing provider: 7 > 6, the last line's third unit of 108.00
    ("units_exceed_day_cap", "P-1010", "2026-10-29", "97110"): [
        "Billed 97110 x 4 + 3 = 7 > cap 6.",
        "allowed $108.00 / 3 x 1 = $36.00",
        "row code_cap:97110@2026-01-01",
    ],
    ("units_exceed_day_cap", "P-1019", "2026-10-15", "97140"): [
        "payer DEMO-PPO",
        "Billed 97140 x 4 > cap 3.",
        "in force from 2026-10-15",
    ],
    ("units_exceed_day_cap", "P-1035", "2026-10-22", "97129"): [
        "A cap with indicator 2 is never exceeded, whatever the note's justification.",
    ],
    ("timed_units_exceed_payer_day_cap", "P-1026", "2026-10-09", None): [
        "= 5 > cap 4: 1 unit above.",
        "payer DEMO-CAP4    4       5     1  [1]",
    ],
    ("untimed_code_multiple_units", "P-1024", "2026-10-23", "97150"): [
        "Billed 97150 x2 > 1.",
        "The MUE of 97150, 1, does not bind: payer DEMO-CAP4 does not follow the MUE table.",
    ],
    ("timed_code_split_across_lines", "P-1003", "2026-10-30", "97110"): [
        "Claim C-20144: lines 1, 2 all bill 97110, modifiers GP, rendering provider PT-01",
    ],
    # the run's notes nearly all give minutes; this one has neither a total nor blocks
    ("timed_minutes_not_documented", "P-1006", "2026-10-07", None): [
        "Billed 97110 x2: note N-30117 has no total of timed minutes and no blocks.",
        "Supported minutes not known: no count of the day",
        "N-30117 no blocks, no T and no TT: how long it took is not known.",
        "Neither the units of the day nor their split is judged.",
    ],
    # 30 minutes together are 2 units, (1800 + 2 x 420) / 900 = 2.9; each discipline billed 2
    ("cotreatment_billed_by_both", "P-1001", "2026-10-07", None): [
        "Billed OT 2 + PT 2 = 4 timed units.",
        "The disciplines support 30 + 30 = 60 minutes, and the patient's clock holds 30 of them (M):",
        "30 were given together (J), and one discipline bills each of these.",
        "4 > 2: 2 units too many, however the time is shared.",
    ],
    # 2 units for Medicare and 1 for the plan on 45 minutes
    ("day_billed_to_several_payers", "P-1006", "2026-10-12", None): [
        "Billed, each as the primary payer: MEDICARE 2 units (2 timed), DEMO-PPO 1 unit (1 timed).",
        "Supported minutes of the day: 45; it is not known whose they are, so the units of the day are not judged.",
    ],
    # exercise billed, the evaluation beside it not
    ("documented_code_not_billed", "P-1012", "2026-10-22", "97161"): [
        "Block B documents 97161, an untimed code.",
        "The lines of the patient and date bill 97110: neither 97161 nor an equivalent code is",
        "2026-10-22 lies inside: what is missing there is missing.",
    ],
    # the day's 45 minutes hold 3 of the 6 units that two equal claims bill
    ("claim_line_duplicated", "P-1005", "2026-10-21", "97110"): [
        "Claim C-20148 line 1 (claims.csv:585) bills again what claim C-20147 line 1 (claims.csv:583)",
        "The notes hold 3 of 6 timed units billed: not two visits.",
    ],
    # six Medicare days of 6 units (15 x 6 - 7 = 83) and five AMA days of 2 + 2 + 2 (3 x 23 = 69): 498 + 345
    ("provider_day_impossible", None, "2026-10-06", None): [
        "15 x 6 - 7",
        "23 + 23 + 23",
        "Billed units need at least 843 minutes: 843 <= 960.",
        "One-on-one minutes credited: 990 > 960.",
    ],
    # ten days of 7 units: 10 x 98
    ("provider_day_impossible", None, "2026-10-13", None): ["980 > 960", "490 <= 960"],
}
