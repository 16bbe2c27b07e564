"""Units and their split over codes, worked out with pandas the way an analyst would: what the audit is timed against.

    python tests/bench/pandas_units.py RUN_FOLDER

reads the accepted rows of a published run (clean and typed, so the contract's work is spared it), prints the seconds
of each step as JSON, and shares no code with the audit. Columns are worked on whole where pandas makes that easy:
sums, maxima, joins, both counts. Two steps go day by day over groups, because they depend on what came before in the
day: crediting each minute once, and giving the units to the codes one at a time. Crosswalks, session clocks,
treatment by two disciplines at once, payers' own kinds of codes, and notes that do not say how long are not looked at;
the made-up extracts hold none of them.
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
    "note_id", "note_version", "block_number", "procedure_code", "minutes", "start_second", "end_second", "delivery",
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
        codes = read("ref_procedure_code")
        self.codes = codes[codes.payer_id.isna()]
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
    names = heads[heads.claim_frequency_code.isin(["6", "7", "8"]) & heads.original_claim_id.notna()]
    names = names[names.original_claim_id != names.claim_id]
    replacing = names[names.claim_frequency_code != "8"]
    greatest = replacing.groupby("original_claim_id").claim_id.transform("max")
    gone = {*names.original_claim_id, *replacing.claim_id[replacing.claim_id < greatest]}
    gone |= {*heads.claim_id[heads.claim_frequency_code.isin(["0", "8", "9"])]}
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
    """The blocks of counting notes, with what each says it took and what it is worth, in whole seconds."""
    counting = notes.loc[notes.standing == "counting", ["note_id", "note_version", *DAY]]
    blocks = tables.blocks.merge(counting, on="note_id", suffixes=("", "_of_note"))
    blocks = blocks[blocks.note_version.isna() | (blocks.note_version == blocks.note_version_of_note)]
    blocks = with_codes(blocks, tables)
    is_one_on_one = (blocks.delivery == "one_on_one") & (blocks.provider_role.fillna("") != "aide")
    blocks["is_timed_one_on_one"] = (blocks.kind == "timed_15") & is_one_on_one
    blocks["clock"] = (blocks.end_second - blocks.start_second).where(blocks.end_second != blocks.start_second)
    stated = (blocks.minutes.astype(float) * 60).round()
    blocks["written"] = stated.fillna(blocks.clock).fillna(0).astype(int)
    blocks["worth"] = blocks[["written", "clock"]].min(axis=1).astype(int)
    return blocks


# -- minutes ---------------------------------------------------------------------------------------------
def credit_set(rows: pd.DataFrame) -> list[tuple[int, int]]:
    """The seconds credited to one set of clocked blocks, in their order: each once, then rests given back within each
    run of overlapping blocks; beside them the rests that each was given."""
    credited, runs = [], []
    reached = None
    blocks = list(zip(rows.start_second, rows.end_second, rows.worth, strict=True))
    for place, (start, end, worth) in enumerate(blocks):
        if reached is None or start >= reached:
            runs.append([])
            free = end - start
        else:
            free = max(0, end - max(start, reached))
        runs[-1].append(place)
        credited.append(min(worth, free))
        reached = end if reached is None else max(reached, end)
    first = list(credited)
    for run in runs:
        covered = max(blocks[place][1] for place in run) - blocks[run[0]][0]
        spare = covered - sum(credited[place] for place in run)
        for place in run:
            given = min(blocks[place][2] - credited[place], max(0, spare))
            credited[place] += given
            spare -= given
    return [(seconds, seconds - alone) for seconds, alone in zip(credited, first, strict=True)]


def credit_seconds(blocks: pd.DataFrame) -> pd.DataFrame:
    """The blocks with the seconds that each is credited over its note and over its therapy day, and the rests that it
    was given there; only timed one-on-one blocks are credited any."""
    blocks = blocks.reset_index(drop=True)
    timed = blocks[blocks.is_timed_one_on_one]
    clocked = timed[timed.clock.notna()]
    for name, keys in (("of_note", ["note_id"]), ("credited", DAY)):
        blocks[name] = blocks.worth.where(blocks.is_timed_one_on_one, 0)
        rows = clocked.sort_values([*keys, "start_second", "end_second", "note_id", "block_number"])
        found = [one for _, together in rows.groupby(keys) for one in credit_set(together)]
        blocks.loc[rows.index, name] = np.array([seconds for seconds, _ in found], dtype=int)
    blocks["rest"] = 0
    blocks.loc[rows.index, "rest"] = np.array([rest for _, rest in found], dtype=int)
    return blocks


def supported_days(notes: pd.DataFrame, blocks: pd.DataFrame) -> pd.DataFrame:
    """One row a therapy day with counting notes: supported seconds, and whether its split can be decided."""
    notes = notes[notes.standing == "counting"].copy()
    timed = blocks[blocks.is_timed_one_on_one].copy()
    timed["lack_of_note"], timed["lack"] = timed.worth - timed.of_note, timed.worth - timed.credited
    sums = timed.groupby("note_id").agg(
        written=("written", "sum"), of_note=("of_note", "sum"), credited=("credited", "sum"),
        lack_of_note=("lack_of_note", "max"), lack=("lack", "max"), rest=("rest", "max"),
    )  # fmt: skip
    notes = notes.merge(sums, on="note_id", how="left").fillna(dict.fromkeys(sums.columns, 0))
    total, written, credited = (notes.total_timed_minutes.astype(float) * 60).round(), notes.written, notes.of_note
    has_blocks = notes.note_id.isin(blocks.note_id)
    notes["supported"] = np.select(
        [~has_blocks, total.isna(), (total - written).abs() < 60, total >= written],
        [total, credited, np.maximum(total, written) - (written - credited), total - (written - credited)],
        np.minimum(total, credited),
    )
    notes["beyond"] = (notes.supported - credited).clip(lower=0)
    notes["is_incomplete"] = ~has_blocks | (total >= written + 60)
    notes["is_below"] = total <= written - 60
    days = notes.groupby(DAY).agg(
        of_notes=("supported", "sum"), credited=("credited", "sum"), beyond=("beyond", "sum"),
        is_incomplete=("is_incomplete", "max"), is_below=("is_below", "max"),
        lack_of_note=("lack_of_note", "max"), lack=("lack", "max"), rest=("rest", "max"),
    )  # fmt: skip
    bound = days.credited + days.beyond
    days["supported"] = np.minimum(days.of_notes, bound)
    is_double = (days.lack_of_note >= 60) | ((days.lack >= 60) & (days.of_notes >= bound + 60))
    days["is_decidable"] = ~(days.is_incomplete | days.is_below | is_double | (days.rest >= 60))
    return days[["supported", "is_decidable"]].reset_index()


# -- units -----------------------------------------------------------------------------------------------
def day_methods(lines: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """The counting method of each therapy day that was billed to one payer."""
    payers = lines[[*DAY, "payer_id"]].drop_duplicates()
    first = payers[~payers.duplicated(DAY, keep=False)].reset_index(drop=True)
    first = in_force(first, tables.methods, "payer_id", ["counting_method"])
    anyone = in_force(first[["service_date"]].assign(payer_id="*"), tables.methods, "payer_id", ["counting_method"])
    first["counting_method"] = first.counting_method.fillna(anyone.counting_method).fillna("either")
    return first[[*DAY, "counting_method"]]


def split_units(codes: pd.DataFrame) -> list[int]:
    """One day's CMS units over its codes, in their order: one at a time to the most seconds not yet paid for; among
    equals, to a code billed for that unit, then to the lower code."""
    left = dict(zip(codes.counted_code, codes.credited, strict=True))
    billed = dict(zip(codes.counted_code, codes.billed_units, strict=True))
    units = dict.fromkeys(left, 0)
    for _ in range(int(codes.cms_units.iloc[0])):
        code = min(left, key=lambda one: (-left[one], billed[one] <= units[one], one))
        units[code] += 1
        left[code] -= 900
    return list(units.values())


def day_units(lines: pd.DataFrame, blocks: pd.DataFrame, days: pd.DataFrame, methods: pd.DataFrame) -> pd.DataFrame:
    """One row a therapy day and timed code: seconds credited, units billed, and both counts of the day."""
    key = [*DAY, "counted_code"]
    seconds = blocks[blocks.kind == "timed_15"].groupby(key).credited.sum().reset_index()
    billed = lines[lines.kind == "timed_15"].groupby(key).billed_units.sum().reset_index()
    units = seconds.merge(billed, on=key, how="outer")
    units = units.merge(days, on=DAY, how="left").merge(methods, on=DAY, how="left")
    units = units.fillna({"credited": 0, "billed_units": 0, "supported": 0})
    units["is_decidable"] = units.is_decidable.fillna(True).astype(bool)
    units["ama_of_code"] = (units.credited + 449) // 900
    units["cms_units"] = (units.supported // 60 + 7) // 15
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
    blocks = credit_seconds(blocks)
    days = supported_days(notes, blocks)
    step("minutes")
    units = day_units(lines, blocks, days, day_methods(lines, tables))
    units["expected_units"] = expected_split(units)
    step("units")
    return units, seconds


if __name__ == "__main__":
    result, taken = recompute(Path(sys.argv[1]))
    print(json.dumps({"seconds": taken, "days": len(result[DAY].drop_duplicates()), "day_codes": len(result)}))
