"""The caps in force and the dollars at risk of a derivation, as text."""

from decimal import Decimal

from flows.explanation.sentences.words import counted
from flows.text_table import dollars, in_force, table, wrap

INDICATORS = {
    "1": "1: line by line",
    "2": "2: never exceeded",
    "3": "3: more if justified",
}


def caps(facts: dict) -> list[str]:
    """Every cap that binds lines of the date, the cap on the day's timed units, and where each comes from."""
    proofs: list[str] = []
    rows = []
    for cap in facts["caps"]:
        rows.append(
            [
                cap["procedure_code"],
                cap_owner(cap, facts["caps"]),
                cap["billing_provider_id"] or "unknown",
                cap["cap_units"],
                INDICATORS.get(cap["indicator"] or "", ""),
                cap["tested_units"],
                max(0, cap["tested_units"] - cap["cap_units"]) or "",
                proof_number(cap, proofs),
            ]
        )
    for day, payer in day_caps(facts):
        billed, most = payer["payer_timed_units"], payer["timed_units_per_day_cap"]
        proof = proof_number(payer["method_row"], proofs)
        owner, over = f"payer {payer['payer_id']}", max(0, billed - most) or ""
        rows.append([f"timed, {day['discipline']}", owner, "", most, "", billed, over, proof])
    headers = ["code", "cap of", "billed by", "cap", "indicator", "billed", "over", "source"]
    text = table(headers, rows, "cap billed over") or ["  No cap binds a line of this date."]
    for number, proof in enumerate(proofs, start=1):
        text += wrap(f"[{number}] {proof}", hanging=6)
    return text + unbound(facts) + justifications(facts)


def cap_owner(cap: dict, caps: list[dict]) -> str:
    """Whose cap it is, and to whom the units under it were billed where that is not one payer."""
    if cap["cap_kind"] == "payer":
        return f"payer {cap['payer_id']}"
    return f"MUE ({cap['payer_id']})" if len({one["payer_id"] for one in caps}) > 1 else "MUE"


def day_caps(facts: dict) -> list[tuple[dict, dict]]:
    """The therapy days with a cap on all their timed units, and the payer whose cap it is, with its own units."""
    return [
        (day, payer) for day in facts["days"] for payer in day["payers"] if payer["timed_units_per_day_cap"] is not None
    ]


def proof_number(row: dict, proofs: list[str]) -> str:
    """The number of a reference row in the list of proofs, put there where it is new."""
    said = f"{row['citation']}; {in_force(row)}; row {row['reference_key']}"
    if said not in proofs:
        proofs.append(said)
    return f"[{proofs.index(said) + 1}]"


def unbound(facts: dict) -> list[str]:
    """MUE caps that are known and do not bind, with the reason."""
    said = []
    for line in facts["lines"]:
        if line["standing"] == "bills" and line["mue_units"] is not None and not line["is_mue_bound"]:
            why = (
                "an institutional claim"
                if line["claim_type"] == "institutional"
                else (f"payer {line['payer_id']} does not follow the MUE table")
            )
            said.append(f"  The MUE of {line['procedure_code']}, {line['mue_units']}, does not bind: {why}.")
    return list(dict.fromkeys(said))


def justifications(facts: dict) -> list[str]:
    given = [note for note in facts["notes"] if note["standing"] == "counting" and note["cap_justification"]]
    if not given and facts["caps"]:
        return ["  No counting note of the date gives a justification for units above a cap."]
    said = (f'{note["note_id"]} ({note["source"]}) justifies: "{note["cap_justification"]}"' for note in given)
    return [line for one in said for line in wrap(one, hanging=4)]


def money(facts: dict) -> list[str]:
    """Units at risk times their price, line by line."""
    subject, finding = facts["subject"], facts["finding"]
    if subject is None:
        return ["  Counted again, the finding is not the same: its dollars cannot be laid out."]
    if subject["at_risk_units"] is None:
        return ["  This rule counts no units as too many, so it puts no dollars at risk."]
    at_risk = [line for line in facts["dollars"] if line["at_risk_units"]]
    text = []
    for line in at_risk:
        name = f"{line['claim_id']} line {line['line_number']} {line['procedure_code']}"
        text += wrap(f"{name}: {price_words(line)}", hanging=4)
    if finding["at_risk_usd"] is None:
        return [*text, "  No claim line at risk holds an amount: the dollars are unknown."]
    total = sum(Decimal(line["at_risk_usd"]) for line in at_risk if line["at_risk_usd"] is not None)
    rounded = "" if total == Decimal(finding["at_risk_usd"]) else f" ({dollars(total)}, half a cent up)"
    text.append(f"  At risk in all: {dollars(finding['at_risk_usd'])}{rounded}")
    return text + which_units(facts["dollars"])


def which_units(lines: list[dict]) -> list[str]:
    """From which lines units too many are taken, where not all of them are."""
    if len(lines) < 2 or all(line["at_risk_units"] == line["billed_units"] for line in lines):
        return []
    if any(line["units_above_split"] for line in lines):
        return wrap("Units above the lawful split nearest to the bill are taken first, then those of the last lines.")
    return wrap("Units too many are taken from the last lines of the claims.")


def price_words(line: dict) -> str:
    risk, billed = line["at_risk_units"], line["billed_units"]
    said = f"{risk} of {counted(billed, 'unit')} at risk: "
    if line["amount_usd"] is None:
        return said + "the line holds no amount"
    share = f"{line['amount_is']} {dollars(line['amount_usd'])}"
    return said + (share if risk == billed else f"{share} / {billed} x {risk} = {dollars(line['at_risk_usd'])}")
