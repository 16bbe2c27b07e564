"""The fast way through a CSV file: runs of plain lines, each a whole record without anything to judge, read
by Arrow.

Plain is decided by one regular expression: exactly as many cells as the header, each bare or wholly quoted on
its one line, and no control character anywhere. On such lines every CSV reader agrees; all others are read
one by one.
"""

import io
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from transforms.contract.cell_sql import BLANKS
from transforms.extract.csv.cells import LONGEST_CELL_BYTES


def plain_pattern(width: int, delimiter: str) -> re.Pattern[bytes]:
    """Matches the plain lines, of `width` cells, that stand at a place; none of a single column, where an
    empty line could be a row."""
    mark = re.escape(delimiter.encode())
    bare = rb'[^"\x00-\x1f\x7f' + mark + rb"]*+"
    quoted = rb'"[^"\x00-\x1f\x7f]*+(?:""[^"\x00-\x1f\x7f]*+)*+"'
    cell = rb"(?:" + quoted + rb"|" + bare + rb")"
    further = rb"(?:" + mark + cell + rb"){%d}" % (width - 1)
    return re.compile(rb"(?:" + cell + further + rb"\r?\n)*+" if width > 1 else rb"")


def plain_table(block: bytes, width: int, delimiter: str, header: list[str]) -> pa.Table | None:
    """The block's cells as columns c0, c1, ...; None when one of its lines has something to judge after all:
    bytes that are not UTF-8, a very long cell, or the header again."""
    names = [f"c{place}" for place in range(width)]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(block),
            arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
            arrow_csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != block.count(b"\n"):
        return None
    first = pc.utf8_lower(pc.utf8_trim(table.column(0), BLANKS))
    if pc.any(pc.match_substring_regex(first, f"^{re.escape(header[0])}$")).as_py():
        return None
    if any(pc.max(pc.binary_length(column)).as_py() > LONGEST_CELL_BYTES for column in table.columns):
        return None
    return table
