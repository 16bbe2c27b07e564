"""Draws claims around what the notes support."""

from datetime import timedelta
from decimal import Decimal

from tests.drawing import CLINICIANS, MODIFIER, OUT_OF_SCOPE, TIMED_POOL, UNLISTED, UNTIMED_POOL
from tests.oracle import World, units

MONEY = [(), ("charge_usd",), ("paid_usd", "charge_usd"), ("allowed_usd", "paid_usd", "charge_usd")]
PAYERS = ["CMS", "CMS", "AMA", "AMA", "CAPPED", "OWNCAP", "NEWPAY", "MEDICAID"]
FREQUENCIES = [*[None] * 16, "1", "7", "6", "8", "0", "2", "3", "4", "5", "9"]
FATES = ["void", "replace", "chain", "rivals", "copy", "copy one", "payer", "visit", "split payers", "unclear"]
#: Corrections that nobody can follow.
UNCLEAR = ["itself", "circle", "void named", "two originals", "two bearers", "denied void"]


class ClaimDrawer:
    """Draws claims around what the notes support, then bends some of them."""

    def __init__(self, d, notes, blocks, reference, as_of):
        self.d, self.claims, self.number = d, [], 0
        self.notes, self.blocks, self.reference, self.as_of = notes, blocks, reference, as_of

    def draw_all(self, places):
        """All claim lines: of the places that have notes, and of some that have none."""
        for patient_id, day, discipline in places:
            if not self.d.one_in(8):
                payer_id = self.d.pick(*PAYERS)
                self._bill(self._as_billed_to(payer_id, patient_id, day, discipline), payer_id)
        return self.claims

    def _as_billed_to(self, payer_id, patient_id, day, discipline):
        """The therapy day as the oracle sees it once one line has been billed to this payer."""
        line = {"claim_id": "C", "line_number": 1, "patient_id": patient_id, "payer_id": payer_id}
        line |= {"service_date": day, "procedure_code": "97110", "billed_units": 1, "discipline": discipline}
        notes = [note for note in self.notes if (note["patient_id"], note["service_date"]) == (patient_id, day)]
        ids = {note["note_id"] for note in notes}
        blocks = [block for block in self.blocks if block["note_id"] in ids]
        return World([line], notes, blocks, self.reference, self.as_of).days[patient_id, day, discipline]

    def _bill(self, day, payer_id):
        d = self.d
        wanted = self._bend(day, dict(self._lawful(day)))
        header = self._header(day, payer_id)
        lines = []
        for code, n in wanted.items():
            add_on = {"97129": "97130", "90912": "90913"}.get(code, code)
            raw = add_on if d.one_in(3) else code
            if n > 1 and d.one_in(8):
                n -= 1
                lines.append(self._line(day, header, add_on, 1))
            lines.append(self._line(day, header, raw, n))
        for note in day.notes:
            for block in note.blocks:
                if block.code in (*UNTIMED_POOL[day.discipline], *UNLISTED) and not d.one_in(5):
                    lines.append(self._line(day, header, block.code, d.pick(1, 1, 1, 1, 1, 2)))
        if d.one_in(10) or not lines:
            extra = d.pick(*UNTIMED_POOL[day.discipline], *OUT_OF_SCOPE, *TIMED_POOL[day.discipline])
            lines.append(self._line(day, header, extra, d.pick(1, 1, 0, 2)))
        self._file(lines)
        self._mangle(day, lines)

    def _lawful(self, day):
        """Units by counted code that a lawful reading supports, or about so many."""
        held = dict(day.credited_by_code)
        if not held:
            return {self.d.pick(*TIMED_POOL[day.discipline]): self.d.pick(1, 2, 3)}
        if day.decidable and (day.method == "cms_8_minute" or (day.method == "either" and self.d.one_in(2))):
            return self.d.pick(*units.cms_splits(day.cms, held))
        if day.decidable or self.d.one_in(2):
            return units.ama_split(held)
        sure, first = units.cms(day.sure), sorted(held)[0]
        return {first: self.d.pick(sure, units.cms(day.known))}

    def _bend(self, day, split):
        """The split as it is, or one unit more, less, or elsewhere."""
        d = self.d
        how = d.pick("keep", "keep", "keep", "keep", "more", "less", "less", "move", "move", "many")
        codes = sorted(set(split) | set(day.credited_by_code) | {TIMED_POOL[day.discipline][0]})
        if how in ("less", "move") and split:
            split[d.pick(*sorted(split))] -= 1
        if how in ("more", "move", "many"):
            code = d.pick(*codes)
            split[code] = split.get(code, 0) + (d.pick(2, 3, 3, 70) if how == "many" else 1)
        return {code: n for code, n in sorted(split.items()) if n > 0}

    def _header(self, day, payer_id):
        d = self.d
        claim_id = self._next()
        return {
            "claim_id": claim_id,
            "payer_claim_id": f"ICN-{claim_id}" if d.one_in(2) else None,
            "patient_id": day.patient_id,
            "service_date": day.day,
            "payer_id": payer_id,
            "billing_provider_id": d.pick("B1", "B1", "B2", None),
            "claim_type": d.pick(None, "professional", "professional", "institutional"),
            "claim_frequency_code": d.pick(*FREQUENCIES),
            "rendering_provider_id": d.pick(*CLINICIANS, "T1", None),
            "service_date_basis": d.pick(*[None] * 20, "line", "claim"),
        }

    def _line(self, day, header, code, n):
        d = self.d
        modifiers = [MODIFIER[day.discipline]]
        unsaid = ["none"] * (1 if day.others else 4)  # beside another discipline its line is left without a day
        said = d.pick("both", *["modifier"] * 5, "column", *unsaid, "conflict")
        if said in ("column", "none"):
            modifiers = []
        if said == "conflict":
            modifiers = ["GP", "GO"]
        if d.one_in(8):
            modifiers.append(d.pick("59", "CQ", "CO"))
        row = header | {"procedure_code": code, "billed_units": n}
        row["modifiers"] = ";".join(sorted(modifiers)) or None
        row["discipline"] = day.discipline if said in ("both", "column") else None
        row["claim_status"] = d.pick(*[None] * 10, "paid", "pending", "denied")
        row["payer_order"] = d.pick(*[None] * 14, 1, 2)
        if d.one_in(30):
            row["billed_units"] = 0
        for column in d.pick(*MONEY):
            row[column] = d.pick(Decimal("30.00"), Decimal("24.10")) * max(n, 1)
        if row["claim_frequency_code"] in ("6", "7", "8"):
            row["original_claim_id"] = d.pick("UNKNOWN", None)
        if d.one_in(60):
            row["service_date_to"] = day.day + timedelta(days=d.pick(0, 1, 2))
        return row

    def _file(self, lines, **changes):
        """Append the lines, numbered within their claim."""
        for line in lines:
            row = line | changes
            taken = [other for other in self.claims if other["claim_id"] == row["claim_id"]]
            self.claims.append(row | {"line_number": len(taken) + 1})

    def _mangle(self, day, lines):
        """What happens to claims later: voids, replacements and chains, copies, other payers."""
        d = self.d
        first = lines[0]["claim_id"]
        what = d.pick(*["nothing"] * 12, *FATES)
        if what == "void":
            self._file(lines[:1], claim_id=self._next(), claim_frequency_code="8", original_claim_id=first)
        if what in ("replace", "chain", "rivals"):
            second = self._next()
            self._replace(lines, second, first)
            if what != "replace":
                self._replace(lines, self._next(), second if what == "chain" else first)
        if what in ("copy", "copy one"):
            self._file(lines[:1] if what == "copy one" else lines, claim_id=self._next(), payer_claim_id=None)
        if what == "payer":
            other = d.pick("AMA", "OWNCAP", "CMS")
            self._file(lines, claim_id=self._next(), payer_claim_id=None, payer_id=other)
        if what == "visit":
            more = [self._line(day, self._header(day, lines[0]["payer_id"]), "97110", d.pick(1, 2))]
            self._file(more)
        if what == "split payers":
            lines[-1]["payer_id"] = self.claims[-1]["payer_id"] = d.pick("MEDICAID", "NEWPAY", "CMS")
        if what == "unclear":
            self._muddle(lines, first)

    def _muddle(self, lines, first):
        """A correction that nobody can follow."""
        what, second = self.d.pick(*UNCLEAR), self._next()
        if what == "itself":
            self._replace(lines, second, second)
        if what == "circle":
            third = self._next()
            self._replace(lines, second, third)
            self._replace(lines, third, second)
        if what == "void named":
            self._file(lines[:1], claim_id=second, claim_frequency_code="8", original_claim_id=first)
            self._replace(lines, self._next(), second)
        if what == "two originals":
            self._file([lines[0] | {"original_claim_id": first}], claim_id=second, claim_frequency_code="7")
            self._file([lines[0] | {"original_claim_id": "UNKNOWN"}], claim_id=second, claim_frequency_code="7")
        if what == "two bearers":
            for claim_id in (second, self._next()):
                self._file(lines, claim_id=claim_id, payer_claim_id=f"ICN-TWICE-{second}")
            self._replace(lines, self._next(), f"ICN-TWICE-{second}")
        if what == "denied void":
            denied = {"claim_status": self.d.pick("denied", "pending")}
            self._file(lines[:1], claim_id=second, claim_frequency_code="8", original_claim_id=first, **denied)

    def _replace(self, lines, claim_id, original):
        """A replacement that names the original by the claim's own number, or by the payer's."""
        change = self.d.pick(0, 0, 1)
        named = {line["claim_id"]: line["payer_claim_id"] for line in self.claims}.get(original)
        if named and self.d.one_in(2):
            original = named
        changed = [line | {"billed_units": line["billed_units"] + change, "payer_claim_id": None} for line in lines]
        self._file(
            changed, claim_id=claim_id, claim_frequency_code=self.d.pick("7", "7", "6"), original_claim_id=original
        )

    def _next(self):
        self.number += 1
        return f"{self.d.pick('C', 'C', 'A')}{self.number:03}"
