"""A single therapy day run through the same SQL models as an audit, for `minutewise units`.

Nothing is counted here: the day is laid into DuckDB as one note and one claim, and the models count it.
"""

from dataclasses import dataclass
from datetime import date
from itertools import combinations
from math import comb
from pathlib import Path

from transforms.contract import apply_contract
from transforms.contract_fields import REASONS
from transforms.crosswalk import load_crosswalk
from transforms.engine import open_database, rows_as_dicts
from transforms.errors import UsageProblem
from transforms.extract import find_inputs, load_extracts
from transforms.recompute import Setting, judge_rows, stage_rows
from transforms.reference import load_reference
from transforms.sql_values import literal

METHODS = ("cms_8_minute", "ama_midpoint")


@dataclass(frozen=True)
class Count:
    """What one method makes of a day: its units, and every lawful split of them over the codes."""

    units: int
    splits: list[dict[str, int]]


@dataclass(frozen=True)
class Cap:
    """A cap in force on the date: on a code (`procedure_code`), or on all timed units (None)."""

    procedure_code: str | None
    cap_units: int
    adjudication_indicator: str | None
    reference_key: str
    citation: str


@dataclass(frozen=True)
class Day:
    """Both counts of a day; its payer (None: none was asked for), that payer's method, and the caps that bind there."""

    minutes: dict[str, int]
    payer: str | None
    counts: dict[str, Count]
    counting_method: str
    is_payer_unlisted: bool
    caps: list[Cap]


#: A code less than a minute below the most is equal to it (rule book s. 4).
EQUAL_BELOW = 60


def lawful_splits(slots: list[tuple[str, int]], units: int) -> list[dict[str, int]]:
    """Every way to give `units` units to the (code, unpaid seconds) slots.

    None that is left lies a minute or more above one that is paid.
    """
    if not units:
        return [{}]
    splits = []
    for above, within, taken in _edges(slots, units):
        least = min(slots[place][1] for place in within)
        for chosen in combinations(sorted(within, key=lambda place: slots[place]), taken):
            if any(slots[place][1] == least for place in chosen):
                split: dict[str, int] = {}
                for place in (*above, *chosen):
                    split[slots[place][0]] = split.get(slots[place][0], 0) + 1
                splits.append(dict(sorted(split.items(), key=lambda item: (-item[1], item[0]))))
    return sorted(splits, key=lambda split: [slot for code in sorted(split) for slot in (code, -split[code])])


def count_splits(slots: list[tuple[str, int]], units: int) -> int:
    """How many lawful_splits there are."""
    if not units:
        return 1
    count = 0
    for _, within, taken in _edges(slots, units):
        least = min(slots[place][1] for place in within)
        higher = sum(slots[place][1] > least for place in within)
        count += comb(len(within), taken) - comb(higher, taken)
    return count


def _edges(slots: list[tuple[str, int]], units: int) -> list[tuple[list[int], list[int], int]]:
    """For each amount that the least paid slot may hold: the slots that are paid then, those that may be, how many."""
    edges = []
    for least in sorted({unpaid for _, unpaid in slots}, reverse=True):
        above = [place for place, (_, unpaid) in enumerate(slots) if unpaid >= least + EQUAL_BELOW]
        within = [place for place, (_, unpaid) in enumerate(slots) if least <= unpaid < least + EQUAL_BELOW]
        if len(above) < units <= len(above) + len(within):
            edges.append((above, within, units - len(above)))
    return edges


def count_day(minutes: dict[str, int], payer: str | None, day: date, reference: Path | None = None) -> Day:
    """Counts a day of one note with one one-on-one block a code; raises UsageProblem for a code that is not timed.

    `minutes`: whole minutes by code. `payer`: whose method and caps are shown too (default: an unknown payer).
    """
    with open_database() as con:
        load_reference(con, reference)
        load_crosswalk(con, None)
        _refuse_untimed(con, minutes, day)
        _lay_in(con, minutes, payer or "*", day)
        setting = Setting(day)
        stage_rows(con, setting)
        judge_rows(con, setting)
        total = con.execute("select cms_units, ama_units from unit_day").fetchone()
        slots = con.execute(
            "select c.procedure_code, c.credited_seconds - 900 * (n.unit_number - 1) from unit_day_code as c, "
            "(select unnest(generate_series(1, 200)) as unit_number) as n "
            "where c.credited_seconds > 900 * (n.unit_number - 1) order by 2 desc, 1"
        ).fetchall()
        alone = con.execute(
            "select procedure_code, ama_units from unit_day_code where ama_units > 0 order by procedure_code"
        ).fetchall()
        line = rows_as_dicts(con, "select * from stg_term limit 1")[0]
        return Day(
            minutes=minutes,
            payer=payer,
            counts={
                "cms_8_minute": Count(total[0], lawful_splits(slots, total[0])),
                "ama_midpoint": Count(total[1], [dict(alone)]),
            },
            counting_method=line["counting_method"],
            is_payer_unlisted=line["is_payer_unlisted"],
            caps=_caps(con),
        )


def _refuse_untimed(con, minutes: dict[str, int], day: date) -> None:
    for code in minutes:
        row = con.execute(
            f"select kind from ref_procedure_code where procedure_code = {literal(code)} and payer_id is null "
            f"and {literal(day)} >= effective_from and {literal(day)} < effective_to"
        ).fetchone()
        if row is None or row[0] in ("unlisted", "other"):
            raise UsageProblem(f"{code}: not a therapy code in scope on {day}; see data/reference/procedure_code.csv")
        if row[0] != "timed_15":
            raise UsageProblem(f"{code}: is {row[0].replace('_', ' ')}, and only timed codes are counted in minutes")


def _lay_in(con, minutes: dict[str, int], payer: str, day: date) -> None:
    """The day as raw rows, through the contract like any other extract."""
    import csv
    from tempfile import TemporaryDirectory

    def write(folder, name, header, rows):
        with (Path(folder) / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header.split(","), *rows])

    date_text = day.isoformat()
    codes = list(enumerate(minutes.items(), start=1))
    with TemporaryDirectory() as folder:
        write(
            folder,
            "claims.csv",
            "claim_id,line_number,patient_id,payer_id,service_date,procedure_code,billed_units,discipline",
            [["day", number, "day", payer, date_text, code, 1, "PT"] for number, (code, _) in codes],
        )
        write(
            folder,
            "notes.csv",
            "note_id,patient_id,service_date,provider_id,discipline",
            [["day", "day", date_text, "day", "PT"]],
        )
        write(
            folder,
            "note_blocks.csv",
            "note_id,block_number,procedure_code,minutes",
            [["day", number, code, spent] for number, (code, spent) in codes],
        )
        load_extracts(con, find_inputs(Path(folder)), None)
    apply_contract(con, day)
    broken = con.execute("select column_name, reason from quarantine limit 1").fetchone()
    if broken:
        raise UsageProblem(f"{broken[0]}: {REASONS[broken[1]]}; correct the option or the argument")


def _caps(con) -> list[Cap]:
    """The caps that bind a professional claim of this payer: by code the lower of MUE and its own, and its day cap."""
    caps = rows_as_dicts(
        con,
        """
        select term.procedure_code, c.cap_units, c.adjudication_indicator, c.reference_key, c.citation
        from stg_term as term
        join ref_code_cap as c
            on c.reference_key = case
                when term.is_mue_bound and (term.payer_cap_units is null or term.mue_units <= term.payer_cap_units)
                    then term.mue_reference_key
                else term.payer_cap_reference_key
            end
        order by term.procedure_code
        """,
    )
    day_cap = rows_as_dicts(
        con,
        "select distinct null as procedure_code, m.timed_units_per_day_cap as cap_units, "
        "null as adjudication_indicator, m.reference_key, m.citation from stg_term as term "
        "join ref_payer_method as m on m.reference_key = term.payer_reference_key "
        "where m.timed_units_per_day_cap is not null",
    )
    return [Cap(**row) for row in caps + day_cap]
