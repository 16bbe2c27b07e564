"""Which files of a folder are new to a warehouse, and which of its files are named as removed."""

from collections.abc import Sequence
from dataclasses import replace

from transforms.errors import UsageProblem
from transforms.extract.inputs import InputFile


def held_files(con) -> list[dict]:
    """The warehouse's files in force, oldest first: number, table, name, sha256 and delivery."""
    rows = con.execute(
        "SELECT file_number, table_name, file_name, sha256, delivery_number FROM warehouse.delivered_file "
        "ORDER BY file_number"
    ).fetchall()
    names = ("file_number", "table_name", "file_name", "sha256", "delivery_number")
    return [dict(zip(names, row, strict=True)) for row in rows]


def new_files(held: Sequence[dict], found: Sequence[InputFile], last_number: int) -> list[InputFile]:
    """The files whose content is not what the warehouse last read under their name, numbered after all it has."""
    latest = {(file["table_name"], file["file_name"]): file["sha256"] for file in held}
    fresh = [file for file in found if latest.get((file.table_name, file.file_name)) != file.sha256]
    return [replace(file, file_number=last_number + place) for place, file in enumerate(fresh, start=1)]


def removed_files(
    held: Sequence[dict], found: Sequence[InputFile], names: Sequence[str], taken_back: Sequence[str] = ()
) -> list[int]:
    """The numbers of every version of the files named as removed, as NAME or table:NAME; raises UsageProblem for a
    name that the warehouse does not have, or that several tables have, and for a file that is still in the folder.
    Names in `taken_back` are files that an earlier night removed: there is nothing left to do."""
    numbers: list[int] = []
    for asked in names:
        versions = [file for file in held if asked in (file["file_name"], _full_name(file))]
        if not versions and asked in taken_back:
            continue
        if not versions:
            raise UsageProblem(f"--removed {asked}: the warehouse has no file of this name; see the manifest's inputs")
        tables = {file["table_name"] for file in versions}
        if len(tables) > 1:
            listed = ", ".join(sorted(_full_name(file) for file in versions))
            raise UsageProblem(f"--removed {asked}: several tables have a file of this name; say which of {listed}")
        if any((file.table_name, file.file_name) == (*tables, versions[0]["file_name"]) for file in found):
            raise UsageProblem(f"--removed {asked}: is still in the extracts; take it out of the folder first")
        numbers += [file["file_number"] for file in versions]
    return sorted(set(numbers))


def _full_name(file: dict) -> str:
    return f"{file['table_name']}:{file['file_name']}"
