"""A single therapy day run through the same SQL models as an audit, for `minutewise units`.

Nothing is counted here: the day is laid into DuckDB as one note and one claim, and the models count it.
"""

from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

from flows.explanation.derive.lawful_splits import count_splits, lawful_splits, most_first, unit_slots
from transforms.accept.apply import apply_contract
from transforms.contract.fields import REASONS
from transforms.database.duckdb_file import open_database, rows_as_dicts
from transforms.database.sql_values import literal
from transforms.errors import UsageProblem
from transforms.extract import find_inputs, load_extracts
from transforms.models.run import Setting, judge_rows, stage_rows
from transforms.reference.crosswalk import load_crosswalk
from transforms.reference.tables import load_reference

#: More lawful splits than these are counted, and not listed.
SPLITS_LISTED = 100

METHODS = ("cms_8_minute", "ama_midpoint")


@dataclass(frozen=True)
class Count:
    """What one method makes of a day: its units, and the lawful splits of them over the codes.

    `split_count`: how many there are, of which the first SPLITS_LISTED are in `splits`.
    """

    units: int
    splits: list[dict[str, int]]
    split_count: int = 1


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
    """Both counts of a day; its payer (None: none was asked for), that payer's method, and the caps that bind there.

    `seconds`: what was asked, by code. `counted`: seconds that the models credit, by the code that they count as.
    `counts_as`: add-on codes, and the code that each is counted with. `unlisted`: codes without a row on the date.
    `least_ama_units`: the AMA count of whole minutes. `most_units`: above this an audit says "too many".
    """

    seconds: dict[str, int]
    payer: str | None
    counts: dict[str, Count]
    counting_method: str
    is_payer_unlisted: bool
    caps: list[Cap]
    supported_minutes: int
    least_ama_units: int
    most_units: int
    counted: dict[str, int]
    counts_as: dict[str, str] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()


def _cms_count(seconds: dict[str, int], units: int) -> Count:
    slots = unit_slots(seconds)
    return Count(units, list(islice(lawful_splits(slots, units), SPLITS_LISTED)), count_splits(slots, units))


def count_day(seconds: dict[str, int], payer: str | None, day: date, reference: Path | None = None) -> Day:
    """Counts a day of one note with one one-on-one block a code; raises UsageProblem where no code of it is timed.

    `seconds`: whole seconds by code. `payer`: whose kinds of codes hold, and whose method and caps are shown too
    (default: an unknown payer).
    """
    with open_database() as con:
        load_reference(con, reference)
        load_crosswalk(con, None)
        unlisted = _refuse_untimed(con, list(seconds), payer, day)
        _lay_in(con, seconds, payer or "*", day)
        setting = Setting(day)
        stage_rows(con, setting)
        judge_rows(con, setting)
        total = rows_as_dicts(con, "select * from unit_day")[0]
        codes = rows_as_dicts(
            con,
            "select procedure_code, credited_seconds, ama_units from unit_day_code where is_timed",
        )
        terms = rows_as_dicts(con, "select * from stg_term order by procedure_code")
        counts_as = {row["procedure_code"]: row["counted_code"] for row in terms}
        asked = [counts_as[code] for code in seconds]
        codes.sort(key=lambda row: asked.index(row["procedure_code"]))
        counted = {row["procedure_code"]: row["credited_seconds"] for row in codes}
        alone = {row["procedure_code"]: row["ama_units"] for row in codes if row["ama_units"]}
        return Day(
            seconds=seconds,
            payer=payer,
            counts={
                "cms_8_minute": _cms_count(counted, total["cms_units"]),
                "ama_midpoint": Count(total["ama_units"], [most_first(alone)]),
            },
            counting_method=terms[0]["counting_method"],
            is_payer_unlisted=terms[0]["is_payer_unlisted"],
            caps=_caps(con),
            supported_minutes=total["supported_minutes"],
            least_ama_units=total["least_ama_units"],
            most_units=total["supported_units"],
            counted=counted,
            counts_as={code: base for code, base in counts_as.items() if base != code},
            unlisted=unlisted,
        )


def _refuse_untimed(con, codes: list[str], payer: str | None, day: date) -> tuple[str, ...]:
    """The codes that nobody listed, by their kind on the date; raises UsageProblem for those that hold no minutes."""
    unlisted = []
    for code in codes:
        row = con.execute(
            f"select kind from ref_procedure_code where procedure_code = {literal(code)} "
            f"and {literal(day)} >= effective_from and {literal(day)} < effective_to "
            f"and (payer_id is null or payer_id = {literal(payer or '*')}) order by payer_id nulls last limit 1"
        ).fetchone()
        kind = row[0] if row else "unlisted"
        if kind == "unlisted":
            unlisted.append(code)
        elif kind == "other":
            raise UsageProblem(f"{code}: is not a therapy code on {day}; see data/reference/procedure_code.csv")
        elif kind != "timed_15":
            raise UsageProblem(f"{code}: is {kind.replace('_', ' ')}, and only timed codes are counted in minutes")
    if len(unlisted) == len(codes):
        raise UsageProblem(
            f"{unlisted[0]}: unlisted on {day}, so how its minutes count is not known; "
            "see data/reference/procedure_code.csv"
        )
    return tuple(unlisted)


def _lay_in(con, seconds: dict[str, int], payer: str, day: date) -> None:
    """The day as raw rows, through the contract like any other extract."""
    import csv
    from tempfile import TemporaryDirectory

    def write(folder, name, header, rows):
        with (Path(folder) / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header.split(","), *rows])

    date_text = day.isoformat()
    codes = list(enumerate(seconds.items(), start=1))
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
            [["day", number, code, f"{spent / 60:.4f}"] for number, (code, spent) in codes],
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
