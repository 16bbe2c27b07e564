"""For each rule: when the rule book calls a subject wrong, in one sentence."""

METHODS = {
    "cms_8_minute": "CMS 8-minute rule",
    "ama_midpoint": "AMA midpoint",
    "either": "larger or the smaller count",
}
#: Rule book s. 6, in short.
VIOLATED_WHEN = {
    "billed_units_exceed_minutes": "the day has a counting note, and timed units billed > units supported",
    "billed_units_below_minutes": (
        "the day has a counting note, timed units billed < the units of its sure minutes, no cap stands in the way, "
        "and no line of the day is denied or a secondary payer's"
    ),
    "units_on_wrong_code": (
        "the day has a counting note, its split is decidable, units billed <= units supported, but some code is billed "
        "above its units in the lawful split nearest to the bill"
    ),
    "billed_code_not_documented": (
        "the day's counting notes all have blocks, and none of these documents the code; a timed code only where no "
        "note holds minutes that its blocks do not explain"
    ),
    "billed_day_not_documented": "lines are billed, and the day has no note at all, drafts and not-billable included",
    "billed_on_unsigned_note": "lines are billed, and the day has no counting or not-billable note, but a draft",
    "billed_note_marked_not_billable": "lines are billed, and the day has no counting note, but a not-billable one",
    "documented_day_not_billed": (
        "no line is billed, and the sure minutes make a unit under both methods (an undecidable day: under CMS, and "
        "more than 7.5 for each timed code), or a counting note has a block of an untimed code whose MUE is not 0"
    ),
    "minutes_counted_twice": (
        "a block lacks a minute or more that another block of the patient holds already (an error where the doubled "
        "time was billed, else a review)"
    ),
    "cotreatment_billed_by_both": (
        "disciplines that treated a patient together for a minute or more billed more timed units than any sharing of "
        "the time supports (an error where all count by CMS, else a review)"
    ),
    "timed_minutes_not_documented": (
        "timed units are billed, and a counting note has no total of timed minutes and no blocks, or a block of a "
        "billed timed code without minutes, in a run most of whose notes give minutes"
    ),
    "documented_code_not_billed": (
        "the day is billed, and a counting note has a block of an untimed code (MUE not 0) that no line of the patient "
        "and date bills, nor a code that stands for it"
    ),
    "day_billed_to_several_payers": "the day's billed lines name several payers, each as the primary one",
    "therapist_in_two_places": (
        "in a run of one clinician's overlapping one-on-one blocks of several patients, the credited time, less what "
        "the notes' totals are below their blocks, exceeds the clock that the run covers by a minute or more"
    ),
    "block_minutes_exceed_note_total": (
        "the note has blocks, and W (written in its timed blocks) > T (its total) by a minute or more"
    ),
    "note_total_exceeds_blocks": (
        "the note's blocks all give minutes, and T (its total) > W (written in its timed blocks) by a minute or more"
    ),
    "stated_minutes_exceed_clock": "a block states a minute or more above what its clock holds",
    "units_exceed_day_cap": (
        "units of a code under one billing provider and payer > its cap in force on the date (a review where the cap "
        "may be exceeded and a note justifies it or the minutes carry it)"
    ),
    "timed_units_exceed_payer_day_cap": "a payer's timed units of the day > its cap on all timed units",
    "untimed_code_multiple_units": (
        "an untimed code is billed more than once on a therapy day to one payer (a review where the notes hold as many "
        "blocks of it)"
    ),
    "timed_code_split_across_lines": (
        "a timed code stands on several lines of one claim with the same modifiers and rendering provider"
    ),
    "claim_line_duplicated": (
        "an earlier surviving claim bills the same patient, date, code, modifiers, units, rendering provider and "
        "payer; not where the day's notes hold all units billed, or as many blocks of an untimed code"
    ),
    "provider_day_impossible": (
        "what the billed units need at the least, or the credited one-on-one minutes, exceed the parameter "
        "provider_day_minutes"
    ),
}
