"""Units and their split over codes, worked out with pandas the way an analyst would: what the audit is timed against.

    python tests/bench/pandas_units.py RUN_FOLDER

reads the accepted rows of a published run (clean and typed, so the contract's work is spared it), prints the seconds
of each step as JSON, and shares no code with the audit. Columns are worked on whole where pandas makes that easy:
sums, maxima, joins, both counts. Two steps go day by day over groups, because they depend on what came before in the
day: crediting each minute once, and giving the units to the codes one at a time. Crosswalks are not looked at.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

DAY = ["patient_id", "service_date", "discipline"]
PATIENT_DAY = ["patient_id", "service_date"]
CLAIM_COLUMNS = [
    "claim_id", "line_number", "patient_id", "payer_id", "service_date", "procedure_code", "billed_units",
    "rendering_provider_id", "modifiers", "discipline", "claim_frequency_code", "original_claim_id", "claim_status",
    "payer_order",
]  # fmt: skip
NOTE_COLUMNS = [
    "note_id", "note_version", "patient_id", "service_date", "provider_id", "discipline", "status", "is_billable",
    "total_timed_minutes",
]  # fmt: skip
BLOCK_COLUMNS = [
    "note_id", "note_version", "block_number", "procedure_code", "minutes", "start_minute", "end_minute", "delivery",
    "provider_role",
]  # fmt: skip


class Tables:
    """The accepted rows of a run, with the columns that matter, and the reference tables that were in force."""

    def __init__(self, run: Path):
        def read(name: str, columns: list[str] | None = None) -> pd.DataFrame:
            return pd.read_parquet(run / "accepted" / f"{name}.parquet", columns=columns)

        self.claims = read("claims", CLAIM_COLUMNS)
        self.notes = read("notes", NOTE_COLUMNS)
        self.blocks = read("note_blocks", BLOCK_COLUMNS)
        self.codes = read("ref_procedure_code")
        self.aliases = read("ref_code_alias")
        self.methods = read("ref_payer_method")


# -- which rows count ------------------------------------------------------------------------------------
def in_force(rows: pd.DataFrame, dated: pd.DataFrame, on: str, columns: list[str]) -> pd.DataFrame:
    """`rows` with `columns` of the dated table, as in force on the service date; null where none is."""
    held = rows[[on, "service_date"]].drop_duplicates().merge(dated, on=on)
    held = held[(held.service_date >= held.effective_from) & (held.service_date < held.effective_to)]
    return rows.merge(held[[on, "service_date", *columns]], on=[on, "service_date"], how="left")


def with_codes(rows: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """`rows` with the kind of their code and the code that it is counted as."""
    rows = in_force(rows, tables.codes, "procedure_code", ["kind", "disciplines"])
    counts_as = tables.aliases[tables.aliases.relation == "counts_as"]
    rows = in_force(rows, counts_as, "procedure_code", ["target_code"])
    rows["counted_code"] = rows.target_code.fillna(rows.procedure_code)
    return rows.drop(columns="target_code")


def standing_notes(notes: pd.DataFrame) -> pd.DataFrame:
    """Of each note the version that counts, and drafts; `standing` says which, and whether it is billable."""
    written = notes[notes.status != "draft"]
    highest = written.groupby("note_id").note_version.max().rename("highest_version")
    notes = notes.merge(highest, on="note_id", how="left")
    is_draft = notes.status == "draft"
    is_gone = ~is_draft & ((notes.note_version < notes.highest_version) | (notes.status == "void"))
    notes["standing"] = np.select([is_draft, notes.is_billable], ["draft", "counting"], "not_billable")
    return notes[~is_gone]


def lines_in_scope(tables: Tables) -> pd.DataFrame:
    """Lines of timed and untimed codes whose claim was neither voided nor replaced, denied and secondary ones too."""
    claims = tables.claims
    heads = claims.groupby("claim_id")[["claim_frequency_code", "original_claim_id"]].max().reset_index()
    names = heads[heads.claim_frequency_code.isin(["7", "8"]) & heads.original_claim_id.notna()]
    names = names[names.original_claim_id != names.claim_id]
    replacing = names[names.claim_frequency_code == "7"]
    greatest = replacing.groupby("original_claim_id").claim_id.transform("max")
    gone = {*names.original_claim_id, *replacing.claim_id[replacing.claim_id < greatest]}
    gone |= {*heads.claim_id[heads.claim_frequency_code == "8"]}
    lines = with_codes(claims[~claims.claim_id.isin(gone)], tables)
    lines = lines[lines.kind.isin(["timed_15", "untimed"])].copy()
    lines["is_set_aside"] = (lines.claim_status == "denied") | (lines.payer_order > 1)
    return lines[(lines.billed_units > 0) | lines.is_set_aside]


def only_one(notes: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    """The discipline of the notes of each key, where they agree."""
    found = notes.groupby(keys).discipline.agg(["min", "max"]).reset_index()
    return found[found["min"] == found["max"]].rename(columns={"min": name})[[*keys, name]]


def settle_discipline(lines: pd.DataFrame, notes: pd.DataFrame) -> pd.DataFrame:
    """The lines with the discipline that the steps of the rule book settle; those that none settles are left out."""
    counting = notes[notes.standing == "counting"]
    own = counting.rename(columns={"provider_id": "rendering_provider_id"})
    lines = lines.merge(only_one(counting, PATIENT_DAY, "by_notes"), on=PATIENT_DAY, how="left")
    keys = [*PATIENT_DAY, "rendering_provider_id"]
    lines = lines.merge(only_one(own, keys, "by_clinician"), on=keys, how="left")
    others = only_one(notes[notes.standing != "counting"], PATIENT_DAY, "by_others")
    lines = lines.merge(others, on=PATIENT_DAY, how="left")
    has_note = lines.merge(notes[PATIENT_DAY].drop_duplicates(), on=PATIENT_DAY, how="left", indicator=True)
    modifiers = ";" + lines.modifiers.fillna("") + ";"
    named = {word: modifiers.str.contains(f";{modifier};", regex=False)
             for word, modifier in (("PT", "GP"), ("OT", "GO"), ("SLP", "GN"))}  # fmt: skip
    is_one = sum(held.astype(int) for held in named.values()) == 1
    by_modifier = pd.Series(np.select(list(named.values()), list(named), None), lines.index).where(is_one, None)
    settled = lines.discipline
    for step in (by_modifier, lines.by_notes, lines.by_clinician,
                 lines.disciplines.where(lines.disciplines.isin(["PT", "OT", "SLP"])), lines.by_others):  # fmt: skip
        settled = settled.fillna(step)
    lines["discipline"] = settled.mask(settled.isna() & (has_note._merge == "left_only"), "PT")
    return lines[lines.discipline.notna()]


def counted_blocks(tables: Tables, notes: pd.DataFrame) -> pd.DataFrame:
    """The blocks of counting notes, with what each says it took and what it is worth, in whole minutes."""
    counting = notes.loc[notes.standing == "counting", ["note_id", "note_version", *DAY]]
    blocks = tables.blocks.merge(counting, on="note_id", suffixes=("", "_of_note"))
    blocks = blocks[blocks.note_version.isna() | (blocks.note_version == blocks.note_version_of_note)]
    blocks = with_codes(blocks, tables)
    is_one_on_one = (blocks.delivery == "one_on_one") & (blocks.provider_role.fillna("") != "aide")
    blocks["is_timed_one_on_one"] = (blocks.kind == "timed_15") & is_one_on_one
    blocks["clock"] = (blocks.end_minute - blocks.start_minute).where(blocks.end_minute > blocks.start_minute)
    blocks["written"] = blocks.minutes.fillna(blocks.clock).fillna(0).astype(int)
    blocks["worth"] = blocks[["written", "clock"]].min(axis=1).astype(int)
    return blocks


# -- minutes ---------------------------------------------------------------------------------------------
def credit_day(day: pd.DataFrame) -> list[int]:
    """The minutes credited to one patient's clocked blocks of a date, in their order: each minute once, then rests
    given back within each run of overlapping blocks."""
    credited, runs = [], []
    reached = None
    blocks = list(zip(day.start_minute, day.end_minute, day.worth, strict=True))
    for place, (start, end, worth) in enumerate(blocks):
        if reached is None or start >= reached:
            runs.append([])
            free = end - start
        else:
            free = max(0, end - max(start, reached))
        runs[-1].append(place)
        credited.append(min(worth, free))
        reached = end if reached is None else max(reached, end)
    for run in runs:
        covered = max(blocks[place][1] for place in run) - blocks[run[0]][0]
        spare = covered - sum(credited[place] for place in run)
        for place in run:
            given = min(blocks[place][2] - credited[place], max(0, spare))
            credited[place] += given
            spare -= given
    return credited


def credit_minutes(blocks: pd.DataFrame) -> pd.DataFrame:
    """The blocks with the minutes that each is credited, and those that are counted twice; only timed one-on-one
    blocks are credited any."""
    blocks = blocks.reset_index(drop=True)
    timed = blocks[blocks.is_timed_one_on_one]
    blocks["credited"] = blocks.worth.where(blocks.is_timed_one_on_one, 0)
    order = [*PATIENT_DAY, "start_minute", "end_minute", "note_id", "block_number"]
    clocked = timed[timed.clock.notna()].sort_values(order)
    credited = [minutes for _, day in clocked.groupby(PATIENT_DAY) for minutes in credit_day(day)]
    blocks.loc[clocked.index, "credited"] = np.array(credited, dtype=int)
    blocks["double"] = (blocks.worth - blocks.credited).where(blocks.is_timed_one_on_one, 0)
    return blocks


def supported_days(notes: pd.DataFrame, blocks: pd.DataFrame) -> pd.DataFrame:
    """One row a therapy day with counting notes: supported minutes, and whether its split can be decided."""
    notes = notes[notes.standing == "counting"].copy()
    sums = blocks[blocks.is_timed_one_on_one].groupby("note_id")[["written", "credited", "double"]].sum()
    notes = notes.merge(sums, on="note_id", how="left").fillna({"written": 0, "credited": 0, "double": 0})
    total, written, credited = notes.total_timed_minutes, notes.written, notes.credited
    has_blocks = notes.note_id.isin(blocks.note_id)
    notes["supported"] = np.select(
        [~has_blocks, total.isna(), total >= written],
        [total.fillna(0), credited, total - (written - credited)],
        np.minimum(total, credited),
    )
    notes["is_incomplete"] = ~has_blocks | (total > written)
    days = notes.groupby(DAY).agg(
        supported=("supported", "sum"), is_incomplete=("is_incomplete", "max"), double=("double", "sum")
    )
    days["is_decidable"] = ~days.is_incomplete & (days.double == 0)
    return days.reset_index()


# -- units -----------------------------------------------------------------------------------------------
def day_methods(lines: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """The counting method of each billed therapy day: that of the payer billed most units, then of the first by id."""
    units = lines.groupby([*DAY, "payer_id"]).billed_units.sum().reset_index()
    units = units.sort_values([*DAY, "billed_units", "payer_id"], ascending=[True] * 3 + [False, True])
    first = units.drop_duplicates(DAY)
    first = in_force(first, tables.methods, "payer_id", ["counting_method"])
    anyone = in_force(first[["service_date"]].assign(payer_id="*"), tables.methods, "payer_id", ["counting_method"])
    first["counting_method"] = first.counting_method.fillna(anyone.counting_method).fillna("either")
    return first[[*DAY, "counting_method"]]


def split_units(codes: pd.DataFrame) -> list[int]:
    """One day's CMS units over its codes, in their order: one at a time to the most minutes not yet paid for; among
    equals, to a code billed for that unit, then to the lower code."""
    left = dict(zip(codes.counted_code, codes.credited, strict=True))
    billed = dict(zip(codes.counted_code, codes.billed_units, strict=True))
    units = dict.fromkeys(left, 0)
    for _ in range(int(codes.cms_units.iloc[0])):
        code = min(left, key=lambda one: (-left[one], billed[one] <= units[one], one))
        units[code] += 1
        left[code] -= 15
    return list(units.values())


def day_units(lines: pd.DataFrame, blocks: pd.DataFrame, days: pd.DataFrame, methods: pd.DataFrame) -> pd.DataFrame:
    """One row a therapy day and timed code: minutes credited, units billed, and both counts of the day."""
    key = [*DAY, "counted_code"]
    minutes = blocks[blocks.kind == "timed_15"].groupby(key).credited.sum().reset_index()
    billed = lines[lines.kind == "timed_15"].groupby(key).billed_units.sum().reset_index()
    units = minutes.merge(billed, on=key, how="outer")
    units = units.merge(days, on=DAY, how="left").merge(methods, on=DAY, how="left")
    units = units.fillna({"credited": 0, "billed_units": 0, "supported": 0})
    units["is_decidable"] = units.is_decidable.fillna(True).astype(bool)
    units["ama_of_code"] = (units.credited + 7) // 15
    units["cms_units"] = (units.supported + 7) // 15
    units["ama_units"] = units.groupby(DAY).ama_of_code.transform("sum")
    return units


def expected_split(units: pd.DataFrame) -> pd.Series:
    """The units that the lawful split gives each row; null where the split is undecidable or not judged."""
    expected = units.ama_of_code.where(units.is_decidable & (units.counting_method == "ama_midpoint"))
    cms = units[units.is_decidable & (units.counting_method == "cms_8_minute")].sort_values([*DAY, "counted_code"])
    given = [count for _, day in cms.groupby(DAY) for count in split_units(day)]
    expected.loc[cms.index] = np.array(given, dtype=float)
    return expected


# -- the whole -------------------------------------------------------------------------------------------
def recompute(run: Path) -> tuple[pd.DataFrame, dict[str, float]]:
    """One row a therapy day and timed code of the published run, and the seconds of each step."""
    seconds, started = {}, time.monotonic()

    def step(name: str) -> None:
        nonlocal started
        seconds[name] = round(time.monotonic() - started, 3)
        started = time.monotonic()

    tables = Tables(run)
    step("read")
    notes = standing_notes(tables.notes)
    lines = settle_discipline(lines_in_scope(tables), notes)
    lines = lines[~lines.is_set_aside]
    blocks = counted_blocks(tables, notes)
    step("rows")
    blocks = credit_minutes(blocks)
    days = supported_days(notes, blocks)
    step("minutes")
    units = day_units(lines, blocks, days, day_methods(lines, tables))
    units["expected_units"] = expected_split(units)
    step("units")
    return units, seconds


if __name__ == "__main__":
    result, taken = recompute(Path(sys.argv[1]))
    print(json.dumps({"seconds": taken, "days": len(result[DAY].drop_duplicates()), "day_codes": len(result)}))
