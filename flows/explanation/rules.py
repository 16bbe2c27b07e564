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
    "billed_code_not_documented": "the day's counting notes all have blocks, and none of these documents the code",
    "billed_day_not_documented": "lines are billed, and the day has no note at all, drafts and not-billable included",
    "billed_on_unsigned_note": "lines are billed, and the day has no counting or not-billable note, but a draft",
    "billed_note_marked_not_billable": "lines are billed, and the day has no counting note, but a not-billable one",
    "documented_day_not_billed": (
        "no line is billed, and the sure minutes make a unit under both methods (an undecidable day: under CMS), or a "
        "counting note has a block of an untimed code whose MUE is not 0"
    ),
    "minutes_counted_twice": "a block is double-counted: a minute of a patient counts once (review: co-treatment)",
    "therapist_in_two_places": (
        "in a run of one clinician's overlapping one-on-one blocks of several patients, the credited minutes exceed "
        "the clock minutes that the run covers"
    ),
    "block_minutes_exceed_note_total": "the note has blocks, and W (written in its timed blocks) > T (its total)",
    "note_total_exceeds_blocks": "the note has blocks, and T (its total) > W (written in its timed blocks)",
    "stated_minutes_exceed_clock": "a block states more than its clock holds (by more than 1 where times had seconds)",
    "units_exceed_day_cap": "units of a code under one billing provider > its cap in force on the date",
    "timed_units_exceed_payer_day_cap": "timed units of the day > the payer's cap on all timed units",
    "untimed_code_multiple_units": "an untimed code is billed more than once on a therapy day",
    "timed_code_split_across_lines": (
        "a timed code stands on several lines of one claim with the same modifiers and rendering provider"
    ),
    "claim_line_duplicated": (
        "an earlier surviving claim bills the same patient, date, code, modifiers, units, rendering provider and "
        "payer; not for a timed code where the day's notes hold all units billed"
    ),
    "provider_day_impossible": (
        "what the billed units need at the least, or the credited one-on-one minutes, exceed the parameter "
        "provider_day_minutes"
    ),
}
