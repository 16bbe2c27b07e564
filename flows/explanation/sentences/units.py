"""What both counting methods make of a therapy day, in sentences."""

from expectations.report.values import in_force
from flows.explanation.sentences.reasons import ama_most
from flows.explanation.sentences.words import NOT_KNOWN, counted
from transforms.database.time_text import long_minutes, mins

METHODS = {
    "cms_8_minute": "CMS 8-minute rule",
    "ama_midpoint": "AMA midpoint",
    "either": "larger or the smaller count",
}
#: More lawful splits than this are counted, not listed.
MOST_SPLITS = 24


def step_words(step: dict) -> str:
    """Why a unit goes to its code; less than a minute below the most is equal to it."""
    if step["tied_with"]:
        near = "" if step["unpaid_seconds"] == step["most_seconds"] else " (less than a minute below the most)"
        return f"{mins(step['unpaid_seconds'])} unpaid{near}, a tie with {', '.join(step['tied_with'])}"
    return f"{mins(step['unpaid_seconds'])} unpaid is the most"


def ama_formula(code: dict) -> str:
    """A code's units by itself: a unit is attained once its midpoint is passed, in seconds where they are known."""
    seconds, units = code["credited_seconds"], code["ama_units"]
    if seconds % 60:
        return f"floor(({seconds} s + 449) / 900) = {units}"
    return f"floor(({seconds // 60} + 7) / 15) = {units}"


def together_words(facts: dict) -> str:
    sums = facts["patient_day"]
    return (
        f"All disciplines together support {long_minutes(sums['held_seconds'])}, of which the patient's clock can hold "
        f"M = {mins(sums['shared_once_seconds'])}; J = {mins(sums['joint_seconds'])} were given together, and are one "
        "discipline's to bill."
    )


def method_words(day: dict) -> str:
    """How the day's payer counts, and the dated row that says so."""
    if day["has_several_payers"]:
        return several_payers(day)
    if day["payer_id"] is None:
        return "No payer was billed, so both counts are shown."
    row, method = day["method_row"] or {}, METHODS[day["counting_method"]]
    said = f"Payer {day['payer_id']} counts by the {method}"
    if day["counting_method"] == "either":
        said = (
            f"Payer {day['payer_id']}'s counting method is unknown, so only units above the larger count are too many, "
        )
        said += "only units below the smaller are too few, and the split is not judged"
    if row:
        said += f" (row {row['reference_key']}, {in_force(row)}; {row['citation']})"
    return said + "."


def several_payers(day: dict) -> str:
    """Each payer's units of a day that several were billed for."""
    named = ", ".join(
        f"{payer['payer_id']} {payer['payer_units']} ({METHODS[payer['counting_method']]})" for payer in day["payers"]
    )
    return (
        f"The lines name several payers, each as the primary one ({named}; units in scope), and whose minutes are "
        "whose is not known, so no unit rule judges the day. Both counts are shown for information."
    )


def cms_lines(day: dict) -> list[str]:
    """The CMS count of the supported minutes, of the sure ones where they differ, and of those with unlisted codes."""
    supported = day["supported_seconds"]
    if supported is None:
        lines = [f"supported minutes {NOT_KNOWN}: no count of the day"]
    else:
        lines = [unit_range(day["supported_minutes"], day["cms_units"])]
        if supported % 60:
            lines.append(f"{mins(supported)} are supported; only whole minutes of the day count")
    if day["sure_seconds"] != supported:
        lines.append(f"sure: {unit_range(day['sure_minutes'], day['sure_cms_units'])}")
    if day["has_unlisted_block"] and day["most_seconds"] is not None:
        more = long_minutes(day["most_seconds"] - (supported or 0))
        lines.append(f"with {more} of codes not listed: {unit_range(day['most_minutes'], day['most_cms_units'])}")
    elif day["has_unlisted_block"]:
        lines.append("a block with an unlisted code gives no minutes, so what it may add is not known")
    return lines


def undecidable(day: dict) -> str:
    why = "; ".join(day["why_undecidable"])
    return f"The split over codes is undecidable ({why}): only the day's total is judged."


def unit_range(minutes: int, number: int) -> str:
    low, high = max(0, 15 * number - 7), 15 * number + 7
    return f"{minutes} minutes lie in {low}-{high}: {counted(number, 'unit')}, floor(({minutes} + 7) / 15) = {number}"


def splits_sentence(count: dict) -> str:
    """The one lawful split of a count, or what its lawful splits differ in."""
    if count["split_count"] == 1:
        return f"The one lawful split: {split_text(count['splits'][0])}."
    units, tied = counted(count["tied_units"], "unit"), ", ".join(count["tied"])
    said = f"{count['split_count']} lawful splits: {tied} are tied for the last {units}, any is right"
    return f"{said}:" if count["splits"] else f"{said}, one of them for each of the tied codes."


def split_text(split: dict) -> str:
    """A split over codes: 97110 x1, 97112 x2."""
    return ", ".join(f"{code} x{number}" for code, number in split.items()) or "no unit"


def is_ama_known(day: dict) -> bool:
    """Whether the minutes of each code are known."""
    return day["is_decidable"] and not day["has_unlisted_block"]


def ama_unknown(day: dict) -> list[str]:
    """What AMA can make of a day whose minutes per code are not known."""
    if day["most_ama_units"] is None:
        return [f"How long the day took is {NOT_KNOWN}, and so is its AMA count."]
    return [
        f"The minutes of each code are not known. {ama_most(day)}.",
        "Above this is too many under every reading; that it is too few is not said.",
    ]
