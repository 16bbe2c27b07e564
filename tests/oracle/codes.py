"""What kind of code a code is on a date and for a payer, typed from the rule book, section 1."""

from datetime import date

from .rows import as_date

TIMED, UNTIMED, UNLISTED = "timed_15", "untimed", "unlisted"


def _each(kind, text, since=None, until=None):
    """{code: [(kind, first date, first date after)]} of codes in one text."""
    return {code: [(kind, since, until)] for code in text.split()}


#: Kinds as shipped. A code without a row on a date is unlisted there.
SHIPPED = {
    **_each(TIMED, "97032 97033 97034 97035 97036 97110 97112 97113 97116 97124 97140 97530 97533 97535 97537"),
    **_each(TIMED, "97542 97750 97755 97760 97761 97763"),
    **_each(TIMED, "97129 97130 90912 90913", since=date(2020, 1, 1)),
    **_each(TIMED, "97532", until=date(2018, 1, 1)),
    **_each(TIMED, "G0515", since=date(2018, 1, 1), until=date(2020, 1, 1)),
    **_each(UNTIMED, "97010 97012 97014 97016 97018 97022 97024 97026 97028 97150 97161 97162 97163 97164 97165"),
    **_each(UNTIMED, "97166 97167 97168 92507 92508 92521 92522 92523 92524 92526 G0283"),
    **_each("other_length", "97545 97546 96125 96105 97550 97551"),
    # What clinics bill beside therapy; the rule book leaves the list to the table, these are enough to draw from.
    **_each("other", "98975 98980 98981 95992 92610 97597 20560 99203 99213"),
}
ADD_ONS = {"97130": "97129", "90913": "90912"}
GROUP_CODE = "97150"
SAME_TREATMENT = {"97014", "G0283"}


class Kinds:
    """Kinds by code, payer and date: the shipped rows, with a user's rows laid over them by code and payer."""

    def __init__(self, rows=()):
        self._rows = {(code, None): dated for code, dated in SHIPPED.items()}
        laid = {}
        for row in rows:
            dated = (row["kind"], as_date(row.get("effective_from")), as_date(row.get("effective_to")))
            laid.setdefault((row["procedure_code"], row.get("payer_id") or None), []).append(dated)
        self._rows.update(laid)

    def of(self, code, payer_id, day):
        """The payer's own kind for the code on the day, else the kind for any payer, else unlisted."""
        for key in ((code, payer_id), (code, None)):
            for kind, first, after in self._rows.get(key, ()):
                if (first is None or first <= day) and (after is None or day < after):
                    return kind
        return UNLISTED


def in_scope(kind):
    """True for timed and untimed codes; lines of any other code are out of every rule."""
    return kind in (TIMED, UNTIMED)


def counted(code):
    """The code whose minutes and units this code's are: an add-on is one code with its base code."""
    return ADD_ONS.get(code, code)


def together(code):
    """All codes that are one code with this one."""
    return {code, counted(code)} | {add_on for add_on, base in ADD_ONS.items() if base == counted(code)}


def documented(code, delivery):
    """Every counted code that a block of this code and delivery documents."""
    said = {counted(code)}
    if delivery == "group":
        said.add(GROUP_CODE)
    if code in SAME_TREATMENT:
        said |= SAME_TREATMENT
    return said


def discipline_of(code):
    """PT, OT or SLP where the code alone says so, else None."""
    if code in ("97161", "97162", "97163", "97164"):
        return "PT"
    if code in ("97165", "97166", "97167", "97168"):
        return "OT"
    return "SLP" if code.startswith("925") else None
