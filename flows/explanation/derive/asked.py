"""What a derivation is asked for: the patients' and clinicians' dates that its findings are about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.explanation.sentences.rules import VIOLATED_WHEN

#: Shipped rules that look at the other patients of a clinician's date; a rule of a user's own may do so too.
_ABOUT_CLINICIANS = ("therapist_in_two_places", "provider_day_impossible")


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
    return finding["rule_id"] in _ABOUT_CLINICIANS or is_of_own_rule(finding)


def is_of_own_rule(finding: Mapping[str, Any]) -> bool:
    """Whether the rule is one that a user added: what it looks at on its date is not known here."""
    return finding["rule_id"] not in VIOLATED_WHEN


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
