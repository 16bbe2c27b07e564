"""Short ways to write rows for the oracle's own tests: one patient and date, PT, unless a test says so."""

from datetime import date
from decimal import Decimal

from tests.oracle import audit

DAY = date(2026, 3, 3)
AS_OF = date(2026, 3, 20)
CMS, AMA, ANY = "MEDICARE", "COMMERCIAL", "SOMEBODY"


def payer(payer_id, method, follows_mue=False, day_cap=None):
    return {
        "payer_id": payer_id,
        "counting_method": method,
        "follows_mue": follows_mue,
        "timed_units_per_day_cap": day_cap,
    }


def cap(code, cap_units, indicator, payer_id=None, since=None, until=None):
    return {
        "procedure_code": code,
        "payer_id": payer_id,
        "cap_units": cap_units,
        "adjudication_indicator": indicator,
        "effective_from": since,
        "effective_to": until,
    }


REFERENCE = {
    "payer_method": [
        payer(CMS, "cms_8_minute", follows_mue=True),
        payer(AMA, "ama_midpoint"),
        payer("CAPPED", "cms_8_minute", day_cap=4),
        payer("*", "either"),
    ],
    "code_cap": [
        cap("97112", 4, 3),
        cap("97110", 6, 3),
        cap("97140", 3, 2),
        cap("97535", 2, 1),
        cap("97010", 0, 3),
        cap("97530", 2, 3, payer_id=AMA),
    ],
    "parameters": [],
}


def line(code="97110", n=1, claim="C1", number=1, **more):
    row = {"claim_id": claim, "line_number": number, "patient_id": "P1", "payer_id": CMS, "service_date": DAY}
    row |= {"procedure_code": code, "billed_units": n, "modifiers": "GP", "rendering_provider_id": "T1"}
    return row | more


def note(note_id="N1", **more):
    row = {"note_id": note_id, "patient_id": "P1", "service_date": DAY, "provider_id": "T1"}
    return row | {"discipline": "PT", "status": "signed"} | more


def block(code="97110", minutes=None, start=None, end=None, number=1, note_id="N1", **more):
    row = {"note_id": note_id, "block_number": number, "procedure_code": code, "minutes": minutes}
    return row | {"started_at": start, "ended_at": end} | more


def blocks_of(text, note_id="N1"):
    """Blocks without clock from '97112=24 97110=23'."""
    pairs = [item.split("=") for item in text.split()]
    return [block(code, Decimal(m), number=i, note_id=note_id) for i, (code, m) in enumerate(pairs, 1)]


def lines_of(text, **more):
    """Lines of one claim from '97112=2 97110=1'."""
    pairs = [item.split("=") for item in text.split()]
    return [line(code, int(n), number=i, **more) for i, (code, n) in enumerate(pairs, 1)]


def run(claims=(), notes=(), blocks=(), reference=REFERENCE, as_of=AS_OF, **more):
    return audit(list(claims), list(notes), list(blocks), as_of=as_of, reference=reference, **more)


def broken(*args, **more):
    """Rule ids with findings."""
    return {row["rule_id"] for row in run(*args, **more).findings}


def one(result, rule_id):
    """The only finding of a rule."""
    (found,) = result.of(rule_id)
    return found
