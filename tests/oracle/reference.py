"""Dated reference rows, looked up on the service date."""

from fractions import Fraction

from .codes import Kinds
from .rows import as_date

NOBODY_TOLD_US = {"counting_method": "either", "follows_mue": False, "timed_units_per_day_cap": None}


class Reference:
    """Lookups over a dict of `payer_method`, `code_cap`, `procedure_code` and `parameters` rows."""

    def __init__(self, tables):
        self.payers = tables.get("payer_method", [])
        self.caps = tables.get("code_cap", [])
        self.kinds = Kinds(tables.get("procedure_code", []))
        rows = tables.get("parameters", [])
        self.parameters = rows if isinstance(rows, dict) else {row["name"]: row["value"] for row in rows}

    def parameter(self, name, default):
        """A whole-number parameter."""
        return int(self.parameters.get(name, default))

    def share(self, name, default):
        """A parameter that is a share."""
        return Fraction(str(self.parameters.get(name, default)))

    def payer(self, payer_id, day):
        """The payer's row in force, else that of any other payer."""
        for wanted in (payer_id, "*"):
            for row in self.payers:
                if row["payer_id"] == wanted and _in_force(row, day):
                    return row
        return NOBODY_TOLD_US

    def is_never_payable(self, code, payer_id, day):
        """True where the code's MUE, or with a payer given that payer's own cap, is 0."""
        of = [None] if payer_id is None else [None, payer_id]
        return any((self.cap(code, one, day) or (None,))[0] == 0 for one in of)

    def cap(self, code, payer_id, day):
        """(cap units, adjudication indicator) of a payer's own cap, or of the MUE (payer None); or None."""
        for row in self.caps:
            same = row["procedure_code"] == code and (row.get("payer_id") or None) == payer_id
            if same and _in_force(row, day):
                indicator = row.get("adjudication_indicator")
                return int(row["cap_units"]), None if indicator is None else int(indicator)
        return None


def _in_force(row, day):
    first, after = as_date(row.get("effective_from")), as_date(row.get("effective_to"))
    return (first is None or first <= day) and (after is None or day < after)
