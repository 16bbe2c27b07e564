"""Why a patient and date, or a therapy day, is left unjudged: the reasons of the models in a biller's words."""

#: Reasons for which no rule accuses on a patient and date (stg_unjudged_day.sql).
REASONS = {
    "claim_dated_line": "a claim line is dated by its claim, not by itself: it may belong to another date",
    "correction_unclear": (
        "a correction of a claim cannot be followed: it names several claims, itself or a name that several bear, "
        "corrects a void, goes in a circle, or is denied or pending"
    ),
    "correction_without_original": (
        "a replacement or void names no claim of the extract, and another claim of the patient, date and payer still "
        "bills: it may be the one that was meant"
    ),
    "line_spans_dates": "a claim line spans several dates, and which unit belongs to which date is not known",
    "minutes_in_prose": "a note gives minutes in its prose only",
    "no_block_extract": "a note has no total of timed minutes, and no extract of blocks was given",
    "quarantined_row": "a row of the patient and date was set aside",
    "quarantined_row_undated": (
        "a row of the patient was set aside whose date cannot be read: it may belong to any date"
    ),
    "unsettled_discipline": "nothing says whether a claim line is PT, OT or SLP",
}
#: Reasons for which some rules are silent on a therapy day, and the others not (date_count.sql, partly_unjudged).
PARTLY = {
    "code_not_listed": (
        "a code is billed or documented that has no row in procedure_code.csv on the date, so whether its minutes "
        "count is not known; give it a row with --reference"
    ),
    "several_payers": "several payers were billed as primary, and whose minutes are whose is not known",
}


def why_unjudged(reason: str) -> str:
    """The reason in words; a reason that nobody has put into words stands for itself."""
    return REASONS.get(reason) or PARTLY.get(reason) or reason.replace("_", " ")
