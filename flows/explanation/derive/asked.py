"""What a derivation is asked for: the patients' and clinicians' dates that its findings are about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from transforms.models.load import rule_sections

#: Sections that show the other patients of a clinician's date.
_OF_CLINICIANS = {"clinician", "clinician_day"}


@dataclass(frozen=True)
class Asked:
    """Distinct (patient id, service date) and (clinician id, service date) pairs; a subject is its number here.

    `beside` are the patients' dates for which the clinicians' other patients of the date count too. With
    `has_whole_dates` every row of the dates counts.
    """

    patient_days: Mapping[tuple[str, date], int]
    clinician_days: Mapping[tuple[str, date], int]
    beside: frozenset[tuple[str, date]]
    dates: Sequence[date]
    has_whole_dates: bool = False


def asked_of(findings: Iterable[Mapping[str, Any]], has_whole_dates: bool = False) -> Asked:
    """What the findings (rows of findings.parquet) are about."""
    patients, clinicians, beside, dates = {}, {}, set(), set()
    for finding in findings:
        patient, day = finding["patient_id"], finding["service_date"]
        dates.add(day)
        if patient is not None:
            patients.setdefault((patient, day), len(patients))
            if looks_past_the_patient(finding):
                beside.add((patient, day))
        elif finding["provider_id"] is not None:
            clinicians.setdefault((finding["provider_id"], day), len(clinicians))
    return Asked(patients, clinicians, frozenset(beside), sorted(dates), has_whole_dates)


def looks_past_the_patient(finding: Mapping[str, Any]) -> bool:
    """Whether other patients of the date may bear on a finding."""
    return may_look_anywhere(finding) or bool(_OF_CLINICIANS & set(rule_sections(finding["rule_id"])))


def may_look_anywhere(finding: Mapping[str, Any]) -> bool:
    """Whether the finding's rule does not say what it shows: then it may look at any row of its date."""
    return not rule_sections(finding["rule_id"])


def keep_asked(con, asked: Asked) -> None:
    """Creates asked_patient_day, asked_clinician_day and asked_date."""
    _keep(con, "asked_patient_day", "patient_id", asked.patient_days)
    _keep(con, "asked_clinician_day", "provider_id", asked.clinician_days)
    beside = [pair in asked.beside for pair in asked.patient_days]
    con.execute(
        "create or replace table asked_patient_day as select a.*, b.is_beside from asked_patient_day as a "
        "join (select unnest(?::integer[]) as subject, unnest(?::boolean[]) as is_beside) as b using (subject)",
        [list(asked.patient_days.values()), beside],
    )
    con.execute("create table asked_date as select unnest(?::date[]) as service_date", [list(asked.dates)])


def _keep(con, table: str, name: str, pairs: Mapping[tuple[str, date], int]) -> None:
    con.execute(
        f"create table {table} as select unnest(?::integer[]) as subject, unnest(?::varchar[]) as {name}, "
        "unnest(?::date[]) as service_date",
        [list(pairs.values()), [who for who, _ in pairs], [day for _, day in pairs]],
    )


def key_asked(con) -> None:
    """Gives the asked patients and clinicians the keys that staging gave them."""
    con.execute(
        "create or replace table asked_patient_day as select a.*, p.patient_key from asked_patient_day as a "
        "left join stg_patient as p on p.patient_id = a.patient_id"
    )
    con.execute(
        "create or replace table asked_clinician_day as select a.*, c.clinician_key from asked_clinician_day as a "
        "left join stg_clinician as c on c.provider_id = a.provider_id"
    )
