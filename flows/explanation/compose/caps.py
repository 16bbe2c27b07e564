"""The caps in force on a finding's day, each with its dated row, and the dollars at risk line by line."""

from decimal import Decimal

from expectations.report.parts import Pairs, Paragraph, Part
from expectations.report.values import in_force
from flows.explanation.compose.tables import paragraphs, table
from flows.explanation.sentences.words import counted, dollars

_INDICATORS = {"1": "1: line by line", "2": "2: never exceeded", "3": "3: more if justified"}


class _Proofs:
    """Reference rows numbered in the order in which a table names them."""

    def __init__(self):
        self._texts: list[str] = []

    def number(self, row: dict) -> str:
        address = f" {row['citation_url']}" if row.get("citation_url") else ""
        text = f"{row['citation']}; {in_force(row)}; row {row['reference_key']}.{address}"
        if text not in self._texts:
            self._texts.append(text)
        return f"[{self._texts.index(text) + 1}]"

    def listed(self) -> list[Pairs]:
        rows = tuple((f"[{number}]", text) for number, text in enumerate(self._texts, start=1))
        return [Pairs(rows)] if rows else []


def caps(facts: dict) -> list[Part]:
    """Every cap that binds lines of the date, the cap on the day's timed units, and where each comes from."""
    proofs = _Proofs()
    rows = [_cap(cap, facts["caps"], proofs) for cap in facts["caps"]]
    for day in facts["days"]:
        rows += [
            _day_cap(day, payer, proofs) for payer in day["payers"] if payer["timed_units_per_day_cap"] is not None
        ]
    if not rows:
        shown: list[Part] = [Paragraph("No cap binds a line of this date.")]
    else:
        headers = "code|cap of|billed by|cap|indicator|billed|over|source|lines"
        marked = [number for number, row in enumerate(rows) if row[6]]
        more = {"source": "lines", "marked": marked, "marks": "over the cap" if marked else ""}
        shown = [table(headers, rows, "cap|billed|over", **more), *proofs.listed()]
    return [*shown, *paragraphs(_unbound(facts)), *paragraphs(_justifications(facts))]


def _cap(cap: dict, caps_: list[dict], proofs: _Proofs) -> list:
    return [
        cap["procedure_code"],
        _owner(cap, caps_),
        cap["billing_provider_id"] or "unknown",
        cap["cap_units"],
        _INDICATORS.get(cap["indicator"] or "", ""),
        cap["tested_units"],
        max(0, cap["tested_units"] - cap["cap_units"]) or "",
        proofs.number(cap),
        ", ".join(f"{line['source']} x{line['billed_units']}" for line in cap["lines"]),
    ]


def _owner(cap: dict, caps_: list[dict]) -> str:
    """Whose cap it is, and to whom the units under it were billed where that is not one payer."""
    if cap["cap_kind"] == "payer":
        return f"payer {cap['payer_id']}"
    return f"MUE ({cap['payer_id']})" if len({one["payer_id"] for one in caps_}) > 1 else "MUE"


def _day_cap(day: dict, payer: dict, proofs: _Proofs) -> list:
    """A payer's cap on all timed units of a therapy day."""
    billed, most = payer["payer_timed_units"], payer["timed_units_per_day_cap"]
    over = max(0, billed - most) or ""
    number = proofs.number(payer["method_row"])
    return [f"timed, {day['discipline']}", f"payer {payer['payer_id']}", "", most, "", billed, over, number, ""]


def _unbound(facts: dict) -> list[str]:
    """MUE caps that are known and do not bind, with the reason."""
    said = []
    for line in facts["lines"]:
        if line["standing"] == "bills" and line["mue_units"] is not None and not line["is_mue_bound"]:
            is_institutional = line["claim_type"] == "institutional"
            why = (
                "an institutional claim"
                if is_institutional
                else f"payer {line['payer_id']} does not follow the MUE table"
            )
            said.append(f"The MUE of {line['procedure_code']}, {line['mue_units']}, does not bind: {why}.")
    return list(dict.fromkeys(said))


def _justifications(facts: dict) -> list[str]:
    given = [note for note in facts["notes"] if note["standing"] == "counting" and note["cap_justification"]]
    if not given and facts["caps"]:
        return ["No counting note of the date gives a justification for units above a cap."]
    return [f'{note["note_id"]} ({note["source"]}) justifies: "{note["cap_justification"]}"' for note in given]


def money(facts: dict) -> list[Part]:
    """Units at risk times their price, line by line."""
    subject, finding = facts["subject"], facts["finding"]
    if subject is None:
        return [Paragraph("A recount does not give the same finding, so its dollars cannot be shown.")]
    if subject["at_risk_units"] is None:
        return [Paragraph("This rule counts no units as too many, so it puts no dollars at risk.")]
    at_risk = [line for line in facts["dollars"] if line["at_risk_units"]]
    rows = [
        [
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            _price(line),
            "not known" if line["at_risk_usd"] is None else dollars(line["at_risk_usd"]),
            line["source"],
        ]
        for line in at_risk
    ]
    headers = "claim|line|code|units at risk and their price|at risk|file and line"
    parts: list[Part] = [table(headers, rows, "line|at risk", source="file and line")] if rows else []
    if finding["at_risk_usd"] is None:
        return [*parts, Paragraph("No claim line at risk holds an amount: the dollars are unknown.", "formula")]
    total = sum(Decimal(line["at_risk_usd"]) for line in at_risk if line["at_risk_usd"] is not None)
    rounded = "" if total == Decimal(finding["at_risk_usd"]) else f" ({dollars(total)}, half a cent up)"
    sentence = f"At risk in all: {dollars(finding['at_risk_usd'])}{rounded}"
    return [*parts, Paragraph(f"{sentence}.", "formula"), *paragraphs(_which_units(facts["dollars"]), "quiet")]


def _which_units(lines: list[dict]) -> list[str]:
    """From which lines units too many are taken, where not all of them are."""
    if len(lines) < 2 or all(line["at_risk_units"] == line["billed_units"] for line in lines):
        return []
    if any(line["units_above_split"] for line in lines):
        return ["Units above the lawful split nearest to the bill are taken first, then those of the last lines."]
    return ["Units too many are taken from the last lines of the claims."]


def _price(line: dict) -> str:
    risk, billed = line["at_risk_units"], line["billed_units"]
    said = f"{risk} of {counted(billed, 'unit')} at risk: "
    if line["amount_usd"] is None:
        return said + "the line holds no amount"
    share = f"{line['amount_is']} {dollars(line['amount_usd'])}"
    return said + (share if risk == billed else f"{share} / {billed} x {risk} = {dollars(line['at_risk_usd'])}")
