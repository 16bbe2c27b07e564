"""Draws dated reference tables."""

from datetime import date

from hypothesis import strategies as st

from tests.drawing import DATES, POOL, Drawer


@st.composite
def references(draw):
    """Reference tables: payers of every kind, an MUE for every code drawn, and a payer with kinds of its own, some
    changing between dates."""
    d = Drawer(draw)
    payers = [
        ("CMS", "cms_8_minute", True, None),
        ("AMA", "ama_midpoint", d.pick(False, True), None),
        ("CAPPED", d.pick("cms_8_minute", "ama_midpoint"), False, d.pick(4, 3)),
        ("OWNCAP", d.pick("ama_midpoint", "cms_8_minute"), d.pick(False, True), None),
        ("MEDICAID", d.pick("cms_8_minute", "ama_midpoint", "either"), d.pick(False, True), None),
        ("*", "either", d.pick(False, True), d.pick(None, None, 4)),
    ]
    names = ("payer_id", "counting_method", "follows_mue", "timed_units_per_day_cap")
    methods = []
    for row in payers:
        other = {"counting_method": "ama_midpoint" if row[1] == "cms_8_minute" else "cms_8_minute"}
        methods += _dated(d, dict(zip(names, row, strict=True)), other if row[0] != "*" else {})
    caps = []
    for code in POOL:
        cap = d.pick(4, 2, 6, 3, 1, 4, 4, 0 if code in ("97010", "97014", "97535") else 5)
        caps += _dated(d, _cap(code, None, cap, d.pick(3, 2, 1, 3)), {"cap_units": cap + 1})
    for code in ("97112", "97110", "97129", "G0283"):
        caps += _dated(d, _cap(code, "OWNCAP", d.pick(3, 2, 4, 0), d.pick(3, 2)), {"cap_units": 1})
    kinds = _dated(d, _kind("92507", "MEDICAID", "timed_15"), {"kind": "untimed"})
    if d.one_in(4):
        kinds += _dated(d, _kind("97799", "OWNCAP", d.pick("timed_15", "untimed")), {"kind": "other"})
    return {"payer_method": methods, "code_cap": caps, "procedure_code": kinds, "parameters": []}


def _kind(code, payer_id, kind):
    return {"procedure_code": code, "payer_id": payer_id, "kind": kind}


def _cap(code, payer_id, cap, indicator):
    return {
        "procedure_code": code,
        "payer_id": payer_id,
        "cap_units": cap,
        "adjudication_indicator": indicator,
    }


def _dated(d, row, later):
    """The row for all dates, or once in a while two rows that meet on the second date."""
    first = date(1990, 1, 1)
    if not later or not d.one_in(8):
        return [row | {"effective_from": first, "effective_to": None}]
    return [
        row | {"effective_from": first, "effective_to": DATES[1]},
        row | later | {"effective_from": DATES[1], "effective_to": None},
    ]
