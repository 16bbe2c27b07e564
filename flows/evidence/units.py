"""The units, caps and dollars of a finding as parts of a packet."""

from expectations.report.packet.parts import Columns, Paragraph, Part, Section, Table
from flows.evidence.day import said, table
from flows.explanation.sentences.words import counted, known
from flows.explanation.terminal import caps as caps_text
from flows.explanation.terminal import units as units_text
from flows.text_table import dollars
from transforms.database.told_time import minutes as told

#: With more codes than this the steps of a count need the whole width.
_MOST_BESIDE = 2


def units(facts: dict) -> list[Part]:
    """Both counts of every therapy day that the finding is about, the payer's own first, and the bill beside."""
    discipline = facts["finding"]["discipline"]
    days = [day for day in facts["days"] if discipline in (None, day["discipline"])]
    parts: list[Part] = []
    for day in days:
        own = [Paragraph(said([line])) for line in [*units_text.counted_with(facts, day), *day["why_supported"]]]
        own += _day(day)
        parts += [Section(f"Therapy day {day['discipline']}", tuple(own))] if len(facts["days"]) > 1 else own
    sums = facts["patient_day"]
    if discipline is None and sums and sums["joint_seconds"]:
        parts.append(Paragraph(units_text.together_words(facts)))
    return parts


def _day(day: dict) -> list[Part]:
    if not day["has_counting_note"] or not (
        day["supported_seconds"] != 0 or any(code["is_timed"] for code in day["codes"])
    ):
        return [Paragraph(said(units_text.day_units(day)))]
    methods = [Section(_title(day, "cms_8_minute", "CMS 8-minute rule"), tuple(_cms(day)))]
    methods.append(Section(_title(day, "ama_midpoint", "AMA midpoint"), tuple(_ama(day))))
    if day["counting_method"] == "ama_midpoint":
        methods.reverse()
    codes = [code for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]
    beside: list[Part] = [Columns(tuple(methods))] if len(codes) <= _MOST_BESIDE else list(methods)
    parts = [Paragraph(units_text.method_words(day)), *beside]
    return [*parts, Section("Billed beside lawful", tuple(_bill_beside(day)))] if day["has_billed_line"] else parts


def _title(day: dict, method: str, name: str) -> str:
    if day["counting_method"] == method:
        return f"{name}: the payer's method"
    return f"{name}: the other method" if day["counting_method"] in ("cms_8_minute", "ama_midpoint") else name


def _cms(day: dict) -> list[Part]:
    count = day["cms_8_minute"]
    parts: list[Part] = [_formula(line[:1].upper() + line[1:]) for line in units_text.cms_lines(day)]
    if not day["is_decidable"]:
        return [*parts, Paragraph(units_text.undecidable(day))]
    if not count["steps"]:
        return parts
    codes = list(count["steps"][0]["left"])
    start = {code["procedure_code"]: code["credited_seconds"] for code in day["codes"]}
    rows = [["", "", *(told(start[code]) for code in codes), "minutes credited"]]
    rows += [
        [step["unit"], step["code"], *(told(step["left"][code]) for code in codes), units_text.step_words(step)]
        for step in count["steps"]
    ]
    caption = "One unit at a time to the code with most minutes not yet paid for; each unit pays for 15."
    parts.append(table("|".join(["unit", "goes to", *codes, "because"]), rows, "|".join(codes), caption=caption))
    return [*parts, *_splits(count)]


def _formula(text: str) -> Paragraph:
    return Paragraph(text.replace("   ", ", "), "formula")


def _splits(count: dict) -> list[Part]:
    """The lawful splits: the explanation's sentence, and one row a split."""
    lines = units_text.split_lines(count)
    listed = [line.strip() for line in lines if line.startswith("      ")]
    sentence = Paragraph(said([line for line in lines if not line.startswith("      ")]), "formula")
    return [sentence, table("no.|lawful split", [[n, split] for n, split in enumerate(listed, 1)], "no.")][
        : 2 if listed else 1
    ]


def _ama(day: dict) -> list[Part]:
    if not units_text.is_ama_known(day):
        return [Paragraph(one) for one in units_text.ama_unknown(day)]
    codes = [code for code in day["codes"] if code["is_timed"] and code["credited_seconds"]]
    rows = [
        [
            code["procedure_code"],
            told(code["credited_seconds"]),
            units_text.ama_formula(code).rpartition(" = ")[0],
            code["ama_units"],
        ]
        for code in codes
    ]
    parts: list[Part] = [_formula(f"Together {counted(day['ama_units'], 'unit')}.")]
    caption = "Each code alone on its credited minutes, never two codes pooled."
    if rows:
        rows.append(["together", "", " + ".join(str(code["ama_units"]) for code in codes), day["ama_units"]])
        parts.append(table("code|minutes|count|units", rows, "minutes|units", caption=caption))
    return parts


def _bill_beside(day: dict) -> list[Part]:
    closing = Paragraph(said(units_text.bill_beside(day)[-1:]), "quiet")
    rows, marked = [], set()
    for code in day["codes"]:
        if code["is_timed"]:
            lawful = code["expected_units"]
            above = "" if lawful is None else max(0, code["billed_units"] - lawful) or ""
            marked |= {len(rows)} if above else set()
            rows.append([code["procedure_code"], told(code["credited_seconds"]), code["billed_units"], lawful, above])
    if not rows:
        return [closing]
    billed, lawful = day["billed_timed_units"], day["supported_units"]
    over = max(0, billed - lawful) or "" if lawful is not None else ""
    rows.append(["the day", known(day["supported_seconds"]), billed, lawful, over])
    right = "minutes|billed|lawful|too many"
    return [table(f"code|{right}", rows, right, frozenset(marked)), closing]


def caps(facts: dict) -> list[Part]:
    """Every cap that binds lines of the date, each with its dated row, its citation and the lines under it."""
    proofs: list[str] = []
    addresses: dict[str, str | None] = {}
    told: set[str] = set()

    def proof(row: dict) -> str:
        number = caps_text.proof_number(row, proofs)
        addresses[number] = row.get("citation_url")
        return number

    rows = [_cap_row(cap, facts["caps"], proof(cap)) for cap in facts["caps"]]
    for day, payer in caps_text.day_caps(facts):
        billed, most = payer["payer_timed_units"], payer["timed_units_per_day_cap"]
        names = [f"timed units, {day['discipline']}", f"payer {payer['payer_id']}", "", most, ""]
        rows.append([*names, billed, max(0, billed - most) or "", "", proof(payer["method_row"])])
    marked = frozenset(number for number, row in enumerate(rows) if row[6])
    headers = "code|cap of|billed by|cap|indicator|billed|over|lines|source"
    parts: list[Part] = [table(headers, rows, "cap|billed|over", marked)] if rows else []
    parts += [] if rows else [Paragraph("No cap binds a line of this date.")]
    for number, text in enumerate(proofs, start=1):
        address = addresses[f"[{number}]"] or ""
        parts.append(Paragraph(f"[{number}] {text}." + (f" {address}" if address not in told else ""), "quiet"))
        told.add(address)
    parts += [Paragraph(line.strip()) for line in caps_text.unbound(facts)]
    justified = said(caps_text.justifications(facts))
    return parts + ([Paragraph(justified)] if justified else [])


def _cap_row(cap: dict, caps_: list[dict], proof: str) -> list:
    lines = ", ".join(f"{line['source']} x{line['billed_units']}" for line in cap["lines"])
    return [
        cap["procedure_code"],
        caps_text.cap_owner(cap, caps_),
        cap["billing_provider_id"] or "unknown",
        cap["cap_units"],
        caps_text.INDICATORS.get(cap["indicator"] or "", ""),
        cap["tested_units"],
        max(0, cap["tested_units"] - cap["cap_units"]) or "",
        lines,
        proof,
    ]


def money(facts: dict) -> list[Part]:
    """Units at risk times their price, line by line."""
    lines = [line for line in facts["dollars"] if line["at_risk_units"]]
    told = caps_text.money(facts)
    if facts["subject"] is None or facts["subject"]["at_risk_units"] is None or not lines:
        return [Paragraph(said(told))]
    rows = [
        [
            line["source"],
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            caps_text.price_words(line),
            dollars(line["at_risk_usd"]) if line["at_risk_usd"] is not None else "not known",
        ]
        for line in lines
    ]
    closing = [line.strip() for line in told if line.startswith(("  At risk in all", "  No claim line at risk"))]
    which = said(caps_text.which_units(facts["dollars"]))
    parts: list[Part] = [_priced(rows), *(Paragraph(text, "formula") for text in closing)]
    return parts + ([Paragraph(which, "quiet")] if which else [])


def _priced(rows: list[list]) -> Table:
    return table("file and line|claim|line|code|units at risk and their price|at risk", rows, "line|at risk")
