"""Draws a user's reference tables, and the changes that are made to them from one night to the next."""

from datetime import date

from tests.drawing import POOL

FIRST = date(1990, 1, 1)
#: Codes that count as one: a cap of one is met where the other is billed.
PARTNERS = {"97129": "97130", "97130": "97129", "90912": "90913", "90913": "90912"}
CHANGEABLE = ("AMA", "CAPPED", "CMS")


def draw_overlay(d) -> dict:
    """Payers of every kind, an MUE for every code that is drawn, and the parameters."""
    payers = [
        _payer("CMS", "cms_8_minute", True),
        _payer("AMA", "ama_midpoint", d.one_in(2)),
        _payer("CAPPED", d.pick("cms_8_minute", "ama_midpoint"), False, d.pick(4, 3)),
        _payer("OWNCAP", d.pick("ama_midpoint", "cms_8_minute"), d.one_in(2)),
        _payer("*", "either", d.one_in(2)),
    ]
    caps = [_cap(code, None, d.pick(4, 2, 6, 3, 1, 4, 5), d.pick(3, 2, 1, 3)) for code in POOL]
    caps += [_cap(code, "OWNCAP", d.pick(3, 2, 4, 0), d.pick(3, 2)) for code in ("97112", "97110", "97129")]
    lag = _parameter("billing_lag_days", d.pick(5, 3, 8))
    return {"payer_method": payers, "code_cap": caps, "procedure_code": [], "parameters": [lag]}


def _payer(payer_id, method, follows_mue, day_cap=None):
    return {
        "payer_id": payer_id,
        "counting_method": method,
        "follows_mue": follows_mue,
        "timed_units_per_day_cap": day_cap,
        "effective_from": FIRST,
    }


def _cap(code, payer_id, cap_units, indicator):
    return {
        "procedure_code": code,
        "payer_id": payer_id,
        "cap_units": cap_units,
        "adjudication_indicator": indicator,
        "effective_from": FIRST,
    }


def _parameter(name, value):
    return {"name": name, "value": value, "effective_from": FIRST}


def new_cap(d, overlay: dict, codes: list[str], day: date) -> dict:
    """Another cap for one of the codes in use: for all dates, from `day` on, or a payer's own."""
    partners = [PARTNERS[code] for code in codes if code in PARTNERS]
    code, payer_id = d.pick(*codes, *partners), d.pick(None, None, "CMS", "AMA")
    row = _cap(code, payer_id, d.pick(0, 1, 2, 3), d.pick(2, 3))
    return _with(d, overlay, "code_cap", ("procedure_code", "payer_id"), row, day)


def other_method(d, overlay: dict, day: date) -> dict:
    """A payer that counts the other way, has another day cap, or follows the MUE from now on, or for all dates."""
    payer_id = d.pick(*CHANGEABLE)
    old = [row for row in overlay["payer_method"] if row["payer_id"] == payer_id][-1]
    counted = {"cms_8_minute": "ama_midpoint", "ama_midpoint": "cms_8_minute"}[old["counting_method"]]
    changes = [{"counting_method": counted}, {"counting_method": counted}, {"follows_mue": not old["follows_mue"]}]
    changes.append({"timed_units_per_day_cap": None if old["timed_units_per_day_cap"] else 2})
    row = old | d.pick(*changes) | {"effective_from": FIRST, "effective_to": None}
    return _with(d, overlay, "payer_method", ("payer_id",), row, day)


def other_kind(d, overlay: dict, day: date) -> dict:
    """A code of another kind from a day on, or for all dates; an office visit comes into scope by that."""
    row = {"procedure_code": d.pick("99213", "99213", "97110", "97140"), "payer_id": None, "effective_from": FIRST}
    return _with(d, overlay, "procedure_code", ("procedure_code",), row | {"kind": d.pick("untimed", "timed_15")}, day)


def other_lag(d, overlay: dict) -> dict:
    """Another number of days before a documented day counts as not billed."""
    old = overlay["parameters"][0]["value"]
    lag = d.pick(*(days for days in (0, 2, 4, 6, 10, 20) if days != old))
    return overlay | {"parameters": [_parameter("billing_lag_days", lag)]}


def _with(d, overlay: dict, table: str, key: tuple, row: dict, day: date) -> dict:
    """The overlay with this row in force for all dates, or from `day` on where its key has a row for all dates."""
    same = [old for old in overlay[table] if all(old[name] == row[name] for name in key)]
    others = [old for old in overlay[table] if old not in same]
    if len(same) == 1 and not d.one_in(3):
        return overlay | {table: [*others, same[0] | {"effective_to": day}, row | {"effective_from": day}]}
    return overlay | {table: [*others, row]}
