"""The columns of the workbook's sheets, each with its meaning: sheets and data dictionary are made from these."""

from dataclasses import dataclass

#: What a cell of a column is.
TEXT, WHOLE, MONEY, SHARE, DAY = "text", "whole", "money", "share", "day"
_UNITS = {WHOLE: "whole number", MONEY: "US dollars", SHARE: "percent", DAY: "date"}

#: Where a column's values come from, as the data dictionary names it.
_FINDINGS, _RULES, _MANIFEST, _YOU = "findings.parquet", "rules.parquet", "manifest.json", "you"
_REGISTRY, _COMPARED = "table of rules", "the run before"
_UNITS_FILE = "units.parquet"
_QUARANTINE, _CONTRACT = "quarantine.parquet", "the contract"


@dataclass(frozen=True)
class Column:
    """One column: heading, width in characters, kind of cells, meaning, source; `unit` where its kind says none."""

    name: str
    width: int
    kind: str
    meaning: str
    source: str
    unit: str = ""

    @property
    def told_unit(self) -> str:
        """The unit as the data dictionary gives it."""
        return self.unit or _UNITS.get(self.kind, "text")


#: What people fill in, and `minutewise dispose` takes back. The headings are its contract.
DECISION_COLUMNS = (
    Column("disposition", 20, TEXT, "What was decided of the finding: choose one of the list.", _YOU),
    Column("decided by", 14, TEXT, "Who decided.", _YOU),
    Column("decided on", 11, DAY, "The day of the decision.", _YOU),
    Column("waived until", 11, DAY, "The last day on which a waiver holds; for waived only.", _YOU),
    Column("reason", 28, TEXT, "Why it was so decided.", _YOU),
)
_PLACED = (
    Column(
        "at_risk_usd",
        13,
        MONEY,
        "Units too many times their price; unknown without a price.",
        _FINDINGS,
    ),
    Column(
        "since_last_run",
        12,
        TEXT,
        "new, still open, changed or reopened; empty: no run before.",
        _COMPARED,
    ),
    Column("service_date", 11, DAY, "The day of treatment.", _FINDINGS),
    Column("patient_id", 14, TEXT, "The patient, as the claims name them.", _FINDINGS),
    Column("provider_id", 14, TEXT, "The clinician whose work it is, where it is one.", _FINDINGS),
    Column("payer_id", 14, TEXT, "The payer that was billed; empty where several were.", _FINDINGS),
    Column(
        "procedure_code",
        10,
        TEXT,
        "The code in question, or the one to look at first; empty if there is none.",
        _FINDINGS,
    ),
    Column("rule_title", 42, TEXT, "What the rule says is wrong, in short.", _REGISTRY),
    Column("message", 70, TEXT, "This finding in one sentence.", _FINDINGS),
)
_COUNTED = (
    Column("billed_units", 8, WHOLE, "Units on the lines that bill.", _FINDINGS, "units"),
    Column("expected_units", 9, WHOLE, "Units that the notes support under the payer's method.", _FINDINGS, "units"),
    Column("expected_units_other_method", 12, WHOLE, "The same under the other method.", _FINDINGS, "units"),
    Column("supported_minutes", 10, WHOLE, "One-on-one minutes of the notes, each counted once.", _FINDINGS, "minutes"),
    Column("double_counted_minutes", 10, WHOLE, "Minutes claimed more than once.", _FINDINGS, "minutes"),
    Column("cap_units", 8, WHOLE, "The most units that the payer pays for one day.", _FINDINGS, "units"),
)
_BY_CODE = (
    Column("billed_codes", 24, TEXT, "Units billed on the day by code: 97110 x2; 97140 x1.", _FINDINGS, "units"),
    Column("documented_codes", 30, TEXT, "Minutes documented on the day by code.", _FINDINGS, "minutes"),
)
_TRACED = (
    Column("claim_ids", 18, TEXT, "The claims it is about, joined by semicolons.", _FINDINGS),
    Column("note_ids", 18, TEXT, "The notes it is about, joined by semicolons.", _FINDINGS),
    Column("sources", 30, TEXT, "File and line of every row it rests on, joined by semicolons.", _FINDINGS),
    Column("discipline", 10, TEXT, "PT, OT or SLP.", _FINDINGS),
    Column("clinic_id", 12, TEXT, "The clinic, where it is one.", _FINDINGS),
    Column("billing_provider_id", 14, TEXT, "Who billed.", _FINDINGS),
    Column("rule_id", 28, TEXT, "The rule's name; see the sheet Rules.", _FINDINGS),
    Column("severity", 10, TEXT, "error, warning or review: how sure the fault is.", _FINDINGS),
    Column("citation", 40, TEXT, "What the rule rests on.", _FINDINGS),
    Column("reference_key", 24, TEXT, "The dated reference row that decided.", _FINDINGS),
)
_IDENTIFIED = (
    Column(
        "finding_id",
        18,
        TEXT,
        "Names the finding in every run; `minutewise explain` takes it.",
        _FINDINGS,
    ),
    Column("evidence_hash", 18, TEXT, "Changes when what was found changes; a decision holds for one.", _FINDINGS),
)
#: The sheets Errors, Warnings and Reviews.
FINDING_COLUMNS = (
    *DECISION_COLUMNS,
    Column(
        "disposition_status",
        15,
        TEXT,
        "holds; evidence changed or waiver expired: open again.",
        _FINDINGS,
    ),
    Column("earlier decision", 24, TEXT, "The decision that holds no more.", _FINDINGS),
    *_PLACED,
    *_COUNTED,
    *_BY_CODE,
    *_TRACED,
    *_IDENTIFIED,
)
#: The sheet Resolved: a finding that stands no more is not decided on.
RESOLVED_COLUMNS = tuple(
    column for column in (*_PLACED, *_COUNTED, *_BY_CODE, *_TRACED, *_IDENTIFIED) if column.name != "since_last_run"
)
RULE_COLUMNS = (
    Column("rule_id", 34, TEXT, "The rule's name.", _RULES),
    Column("title", 46, TEXT, "What is wrong where it is violated.", _REGISTRY),
    Column("family", 16, TEXT, "over-billing, missed revenue, or a fault of the record.", _REGISTRY),
    Column("severity", 10, TEXT, "The severity of its findings, unless one says otherwise.", _REGISTRY),
    Column("status", 14, TEXT, "passed, failed, not applicable (nothing in scope) or error.", _RULES),
    Column("violations", 10, WHOLE, "Subjects that violate it: its findings.", _RULES, "findings"),
    Column("in_scope", 10, WHOLE, "Subjects it could judge: the denominator.", _RULES, "subjects"),
    Column("violated_share", 10, SHARE, "violations by in_scope, rounded up to a hundredth of a percent.", _RULES),
    Column("unjudged", 10, WHOLE, "Subjects it could not decide.", _RULES, "subjects"),
    Column("errors", 8, WHOLE, "Findings of severity error.", _RULES, "findings"),
    Column("warnings", 9, WHOLE, "Findings of severity warning.", _RULES, "findings"),
    Column("reviews", 8, WHOLE, "Findings of severity review.", _RULES, "findings"),
    Column("at_risk_usd", 13, MONEY, "Dollars of its findings; other rules may name the same units.", _RULES),
    Column("missed_units", 10, WHOLE, "Units that were lawful and not billed.", _RULES, "units"),
    Column("citation", 50, TEXT, "What it rests on.", _REGISTRY),
    Column("not_checked", 60, TEXT, "What a reader might think it looks at, and it does not.", _REGISTRY),
)
SET_ASIDE_COLUMNS = (
    Column("table", 14, TEXT, "The table of the extract.", _QUARANTINE),
    Column("file", 30, TEXT, "The file of the row.", _QUARANTINE),
    Column("line", 9, WHOLE, "Its line there, the header being line 1.", _QUARANTINE, "line"),
    Column("column", 22, TEXT, "The column that could not be read or does not fit; empty: the whole row.", _QUARANTINE),
    Column("reason", 24, TEXT, "Why the row was set aside, in one word; filtered: a mapping left it out.", _QUARANTINE),
    Column("why", 44, TEXT, "The same in a sentence; of filtered rows the filter.", _CONTRACT),
    Column("cell", 24, TEXT, "What the extract has there.", _QUARANTINE),
    Column("what to do", 70, TEXT, "How to fix it.", _CONTRACT),
    Column("rows", 8, WHOLE, "1; for filtered rows, which are only counted, how many.", _QUARANTINE, "rows"),
)
#: The sheet of codes; a sheet's name has 31 characters at most, and no colon.
CODES_SHEET = "Codes documented against billed"
CODE_COLUMNS = (
    Column("month", 9, TEXT, "The month of service.", _UNITS_FILE),
    Column(
        "provider_id",
        14,
        TEXT,
        "Who rendered most of the day's billed units of the code, else whose note it is.",
        _UNITS_FILE,
    ),
    Column("procedure_code", 10, TEXT, "The code; an add-on (97130, 90913) is counted with its code.", _UNITS_FILE),
    Column(
        "billed_days",
        9,
        WHOLE,
        "Therapy days with billed units of it: matched and billed only together.",
        _UNITS_FILE,
        "days",
    ),
    Column(
        "billed_units",
        9,
        WHOLE,
        "Units on the lines that bill; voided, denied and secondary lines bill none.",
        _UNITS_FILE,
        "units",
    ),
    Column("matched_days", 9, WHOLE, "Billed, and a block of the day's notes documents it.", _UNITS_FILE, "days"),
    Column("matched_units", 9, WHOLE, "Units billed on those days.", _UNITS_FILE, "units"),
    Column("billed_only_days", 9, WHOLE, "Billed, and no block documents it.", _UNITS_FILE, "days"),
    Column("billed_only_units", 9, WHOLE, "Units billed on those days.", _UNITS_FILE, "units"),
    Column(
        "documented_only_days",
        12,
        WHOLE,
        "Documented, and not billed under any code that the block documents.",
        _UNITS_FILE,
        "days",
    ),
)
INPUT_COLUMNS = (
    Column("table", 14, TEXT, "What the file holds.", _MANIFEST),
    Column("file", 40, TEXT, "Its name.", _MANIFEST),
    Column("new to this run", 10, TEXT, "yes, or no where an earlier night took it in.", _MANIFEST),
    Column("rows_read", 12, WHOLE, "Rows read: accepted, set aside and repeated together.", _MANIFEST, "rows"),
    Column("rows_accepted", 14, WHOLE, "Rows that keep the contract.", _MANIFEST, "rows"),
    Column("rows_quarantined", 16, WHOLE, "Rows set aside.", _MANIFEST, "rows"),
    Column("rows_duplicate", 14, WHOLE, "Rows that repeat another word for word.", _MANIFEST, "rows"),
    Column("sha256", 66, TEXT, "The file's fingerprint.", _MANIFEST),
)
#: The sheet Data dictionary.
DICTIONARY_COLUMNS = (
    Column("sheet", 28, TEXT, "The sheet, or sheets.", ""),
    Column("column", 28, TEXT, "The column's heading there.", ""),
    Column("meaning", 90, TEXT, "What its cells say.", ""),
    Column("unit", 16, TEXT, "What they are counted in.", ""),
    Column("source", 24, TEXT, "Where they come from.", ""),
)


def dictionary_rows() -> list[dict[str, str]]:
    """One row a column of every sheet, with the columns of DICTIONARY_COLUMNS."""
    sheets = {
        "Errors, Warnings, Reviews": FINDING_COLUMNS,
        "Resolved": RESOLVED_COLUMNS,
        "Rules": RULE_COLUMNS,
        "Set aside": SET_ASIDE_COLUMNS,
        CODES_SHEET: CODE_COLUMNS,
        "Inputs": INPUT_COLUMNS,
    }
    return [
        {
            "sheet": sheet,
            "column": column.name,
            "meaning": column.meaning,
            "unit": column.told_unit,
            "source": column.source,
        }
        for sheet, columns in sheets.items()
        for column in columns
    ]
