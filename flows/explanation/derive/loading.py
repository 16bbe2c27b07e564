"""The accepted rows of a run that bear on what is asked, read from its Parquet files into ok_ tables.

All rows of the patients' dates asked; where a clinician's date counts, all rows of every patient of it. With them what
bears on these from other dates: lines that span them, claims that name their claims or are named by them, by the
claim's own number or the payer's, as far as such names lead, all lines of those, and all versions of their notes. Rows
of other patients and dates come along in part, and whatever the models make of those is not read; what staging says of
the whole run (how many of its notes give minutes) is taken from its manifest.
"""

from pathlib import Path

from flows.runs.read import KEPT_TABLES, published_table
from transforms.accept.settle import count_accepted_dates

WHOLE = "whole"
#: Notes of all accepted rows, under the ids that the claim system uses.
_NOTE = """
create view whole.note as
select n.note_id, n.note_version, coalesce(x.to_id, n.patient_id) as patient_id, n.service_date, n.discipline, n.status,
    coalesce(px.to_id, n.provider_id) as provider_id, n.source_file, n.source_line
from whole.ok_notes as n
left join crosswalk_patient as x on x.from_id = n.patient_id
left join crosswalk_provider as px on px.from_id = n.provider_id
"""
# The asked patients' rows of all dates, with few columns: one scan of the history for all that looks around in them.
_NEAR = {
    "near_claim": """
        select claim_id, line_number, patient_id, service_date, service_date_to, procedure_code, billed_units,
            rendering_provider_id, source_file, source_line
        from whole.ok_claims where patient_id in (select patient_id from asked_patient_day)""",
    "near_note": """
        select note_id, note_version, patient_id, service_date, discipline, status, provider_id, source_file,
            source_line
        from whole.note where patient_id in (select patient_id from asked_patient_day)""",
}
# Whoever may be a clinician of a patient's date: more than are there do no harm.
_CLINICIAN_DATES = """
create table loaded_clinician_date as
with beside as (select patient_id, service_date from asked_patient_day where is_beside),
beside_note as (
    select n.note_id, n.provider_id, n.service_date from whole.near_note as n
    join beside on beside.patient_id = n.patient_id and beside.service_date = n.service_date
)
select provider_id, service_date from asked_clinician_day
union
select c.rendering_provider_id, c.service_date from whole.near_claim as c
join beside on beside.patient_id = c.patient_id and beside.service_date = c.service_date
where c.rendering_provider_id is not null
union
select provider_id, service_date from beside_note
union
select coalesce(x.to_id, b.provider_id), n.service_date from whole.ok_note_blocks as b
join beside_note as n on n.note_id = b.note_id
left join crosswalk_provider as x on x.from_id = b.provider_id
where b.provider_id is not null
"""
#: Other patients' dates of which every row is loaded too: those of the clinicians' dates, or all of the dates.
_BESIDE_CLINICIANS = """
create table beside_day as
with block as (
    select distinct b.note_id, coalesce(x.to_id, b.provider_id) as provider_id from whole.ok_note_blocks as b
    left join crosswalk_provider as x on x.from_id = b.provider_id
    where b.provider_id is not null
        and coalesce(x.to_id, b.provider_id) in (select provider_id from loaded_clinician_date)
)
select c.patient_id, c.service_date from whole.ok_claims as c
join loaded_clinician_date as d on d.provider_id = c.rendering_provider_id and d.service_date = c.service_date
union
select n.patient_id, n.service_date from whole.note as n
join loaded_clinician_date as d on d.provider_id = n.provider_id and d.service_date = n.service_date
union
select n.patient_id, n.service_date from block
join whole.note as n on n.note_id = block.note_id
join loaded_clinician_date as d on d.provider_id = block.provider_id and d.service_date = n.service_date
"""
_BESIDE_DATES = """
create table beside_day as
select patient_id, service_date from whole.ok_claims where service_date in (select service_date from asked_date)
union
select patient_id, service_date from whole.note where service_date in (select service_date from asked_date)
"""
_ROWS = {
    # Every claim that has something to do with these: a correction bears on the claim it names, on others that name the
    # same, and, where nobody can follow it, on all of them.
    "ok_claims": """
        with recursive day_claim as (
            select c.claim_id from whole.near_claim as c
            join asked_patient_day as a on a.patient_id = c.patient_id
                and a.service_date between c.service_date and coalesce(c.service_date_to, c.service_date)
            union
            select c.claim_id from whole.ok_claims as c
            join beside_day as d on d.patient_id = c.patient_id and d.service_date = c.service_date
            union
            select c.claim_id from whole.ok_claims as c
            join beside_day as d on d.patient_id = c.patient_id
                and c.service_date < d.service_date and d.service_date <= c.service_date_to
        ),
        -- names that corrections give, and the claims that give or bear them; few of all
        naming as (
            select distinct claim_id, original_claim_id as name from whole.ok_claims where original_claim_id is not null
        ),
        name as (
            select distinct naming.name from naming
        ),
        tie as (
            select claim_id, name from naming
            union
            select c.claim_id, name.name from whole.ok_claims as c join name on name.name = c.claim_id
            union
            select c.claim_id, name.name from whole.ok_claims as c join name on name.name = c.payer_claim_id
        ),
        reached as (
            select claim_id from day_claim
            union
            select other.claim_id from reached
            join tie as mine on mine.claim_id = reached.claim_id
            join tie as other on other.name = mine.name
        )
        select * from whole.ok_claims where claim_id in (select claim_id from reached)""",
    # What no model reads of notes and blocks may be long, and stays where it is.
    "ok_notes": """
        select * exclude (narrative) from whole.ok_notes where note_id in (
            select n.note_id from whole.near_note as n
            join asked_patient_day as a on a.patient_id = n.patient_id and a.service_date = n.service_date
            union
            select n.note_id from whole.note as n
            join beside_day as d on d.patient_id = n.patient_id and d.service_date = n.service_date
        )""",
    "ok_note_blocks": """
        select * exclude (goal, description) from whole.ok_note_blocks
        where note_id in (select note_id from ok_notes)""",
}


def load_published(con, folder: Path, manifest: dict, has_whole_dates: bool) -> None:
    """Creates the ok_, ref_ and crosswalk_ tables, delivered_file, accepted_date and quarantine of a run.

    The ok_ tables hold what bears on the tables asked_...; the schema whole has views of all accepted rows, and the
    asked patients' rows of all dates in near_claim and near_note. Raises ValueError where a row's file is not among
    the manifest's inputs, and duckdb.Error where a file cannot be read.
    """
    for table in KEPT_TABLES:
        con.execute(f"create table {table} as select * from {published_table(folder / 'accepted' / table)}")
    con.execute("create table delivered_file (file_number integer, table_name varchar, file_name varchar)")
    for entry in manifest["inputs"]:
        values = [entry["file_number"], entry["table"], entry["file"]]
        con.execute("insert into delivered_file values (?, ?, ?)", values)
    con.execute(f"create schema {WHOLE}")
    for table in _ROWS:
        place = published_table(folder / "accepted" / table.removeprefix("ok_"))
        con.execute(f"create view {WHOLE}.{table} as select * from {place}")
    con.execute(_NOTE)
    for table, select in _NEAR.items():
        con.execute(f"create table {WHOLE}.{table} as {select}")
    con.execute(_CLINICIAN_DATES)
    con.execute(_BESIDE_DATES if has_whole_dates else _BESIDE_CLINICIANS)
    for table, select in _ROWS.items():
        con.execute(f"create table {table} as {select}")
        _require_known_files(con, table)
    con.execute(f"set search_path = '{WHOLE},main'")
    count_accepted_dates(con)
    con.execute("set search_path = 'main'")
    con.execute(f"create table accepted_date as select * from {WHOLE}.accepted_date")
    con.execute(f"create table quarantine as select * exclude (row) from {published_table(folder / 'quarantine')}")


def measured_as_published(con, manifest: dict) -> None:
    """Lays the run's own count of notes that give minutes over that of the few rows loaded; after staging.

    A run without that count (of an earlier version) keeps the latter.
    """
    match = manifest["match"]
    if "measured_notes" in match:
        counting, measured = match["counting_notes"], match["measured_notes"]
        con.execute("drop table stg_measure")
        con.execute(
            "create table stg_measure as select cast(? as bigint) as counting_notes, "
            "cast(? as bigint) as measured_notes, cast(? as boolean) as is_measured",
            [counting, measured, measured >= match["minimum_measured_share"] * counting],
        )


def _require_known_files(con, table: str) -> None:
    query = f"select count(*) from {table} where file_number not in (select file_number from delivered_file)"
    if con.execute(query).fetchone()[0]:
        raise ValueError(f"{table}: a row's file is not among the manifest's inputs")
