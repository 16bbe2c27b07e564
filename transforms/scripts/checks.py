"""Counts what is wrong with filled input tables: the contract holds for rows that minutewise accepts, and whoever
fills the tables from elsewhere has to hold it. Written as one pass over each table, and a list of what was found."""

from transforms.database.quoting import text
from transforms.database.sql_values import literal
from transforms.dates import FIRST_DAY
from transforms.scripts.tables import InputTable, input_tables

#: Where a row stands becomes its key, so there is one row a place, and its numbers are not larger than an extract's.
_PLACE = ("file_number", "source_line", "piece")
_OF_PLACES = (
    ("file_number", "outside its limits", "checked.file_number < 0 or checked.file_number > 999999"),
    ("source_line", "outside its limits", "checked.source_line < 0 or checked.source_line > 999999999"),
    ("piece", "outside its limits", "checked.piece < 0 or checked.piece > 999"),
)
#: Column, problem and condition beside those of the fields.
_OF_TABLES = {
    "ok_claims": (
        *_OF_PLACES,
        ("service_date_to", "before service_date", "checked.service_date_to < checked.service_date"),
    ),
    "ok_notes": _OF_PLACES,
    "ok_note_blocks": (
        *_OF_PLACES,
        ("end_second", "before its start", "checked.end_second < checked.start_second"),
        ("start_second", "on another day", "checked.start_second < 0 or checked.start_second >= 86400"),
    ),
}
#: Columns that no two rows have alike.
_KEYS = {
    "ok_claims": (("claim_id", "line_number"), _PLACE),
    "ok_notes": (("note_id", "note_version"), _PLACE),
    "ok_note_blocks": (("note_id", "block_number", "note_version"), _PLACE),
    "delivered_file": (("file_number",),),
    "crosswalk_patient": (("from_id",),),
    "crosswalk_provider": (("from_id",),),
    "crosswalk_payer": (("from_id",),),
}
#: Rows that need another table's.
_UNMATCHED = {
    "ok_claims": (("file_number", "delivered_file"),),
    "ok_notes": (("file_number", "delivered_file"),),
    "ok_note_blocks": (("file_number", "delivered_file"), ("note_id", "ok_notes")),
}


def check_queries() -> dict[str, str]:
    """Table name -> its query: one check table an input table, with a count a problem, and input_problem last."""
    queries, listed = {}, []
    for table in input_tables():
        checks = _checks(table)
        name = f"check_{table.name}"
        counts = ",\n".join(
            f"    count(case when {condition} then 1 end) as problem_{number}"
            for number, (_, _, condition) in enumerate(checks, start=1)
        )
        queries[name] = f"select\n{counts}\nfrom {table.name} as checked\ncross join run_setting as setting"
        listed += [
            f"select {text(table.name)} as table_name, {text(column)} as column_name, {text(problem)} as problem,\n"
            f"    c.problem_{number} as row_count\nfrom {name} as c where c.problem_{number} > 0"
            for number, (column, problem, _) in enumerate(checks, start=1)
        ]
        listed += _whole_table_checks(table.name)
    return queries | {"input_problem": "\nunion all\n".join(listed)}


def _checks(table: InputTable) -> list[tuple[str, str, str]]:
    """Column, problem and condition of all that one row shows by itself."""
    found = [(column, "missing", f"checked.{column} is null") for column in table.needed]
    found += _OF_TABLES.get(table.name, ())
    for field in table.fields:
        name = f"checked.{field.field}"
        if field.allowed:
            allowed = ", ".join(text(word) for word in field.allowed)
            found.append((field.field, "not an allowed value", f"{name} not in ({allowed})"))
        if field.type in ("id", "code", "modifier_list"):
            found.append((field.field, "blank, or blanks around it", f"{name} <> trim({name}) or {name} = ''"))
        if field.type in ("code", "modifier_list"):
            found.append((field.field, "small letters", f"{name} <> upper({name})"))
        if field.type in ("whole", "minutes") and field.minimum:
            found.append((field.field, "outside its limits", f"{name} < {field.minimum} or {name} > {field.maximum}"))
        if field.type == "date":
            condition = f"{name} < {literal(FIRST_DAY)} or {name} - 1 > setting.as_of_date"
            found.append((field.field, f"before {FIRST_DAY.year}, or after the day after the as-of date", condition))
    return found


def _whole_table_checks(table_name: str) -> list[str]:
    """Queries of what only several rows show: keys used twice, and rows that belong to nothing."""
    queries = []
    for keys in _KEYS.get(table_name, ()):
        listed = ", ".join(f"checked.{key}" for key in keys)
        rows = f"(select {listed} from {table_name} as checked group by {listed} having count(*) > 1) as twice"
        queries.append(_counted(table_name, keys[-1], f"used twice: {', '.join(keys)}", rows))
    for column, other in _UNMATCHED.get(table_name, ()):
        rows = (
            f"{table_name} as checked\nleft join (select distinct o.{column} from {other} as o) as known "
            f"on known.{column} = checked.{column}\nwhere known.{column} is null"
        )
        queries.append(_counted(table_name, column, f"not in {other}", rows))
    return queries


def _counted(table_name: str, column: str, problem: str, rows: str) -> str:
    """A query of one row where there are such rows, and of none else."""
    return (
        f"select {text(table_name)} as table_name, {text(column)} as column_name, {text(problem)} as problem,\n"
        f"    count(*) as row_count\nfrom {rows}\nhaving count(*) > 0"
    )
