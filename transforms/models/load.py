"""Reads the SQL models, orders them, and runs one of them.

A model is one file, one table, named like it. Its header comment says grain, units and source. Models of a stage read
only tables of their own stage and the stages before it; within a stage they run in the order of what they read.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from transforms.errors import AuditError
from transforms.keys import written_out
from transforms.reference.definitions import require_declared
from transforms.under_way import under_way

#: Where the stages' folders are.
FOLDER = Path(__file__).resolve().parents[1]
STAGES = ("staging", "minutes", "units", "findings", "proof", "results")
HEADER_KEYS = ("grain", "units", "source")
#: What a rule's header says beside these: when it calls its subject wrong.
RULE_KEYS = ("violated_when",)
#: Parts of an explanation that a rule's header may name under `shows` (flows/explanation/compose/explanation.py).
SECTIONS = (
    "bill", "notes", "minutes", "units", "caps", "dollars", "clinician", "clinician_day", "covered", "billing_lag",
    "nearest", "twins",
)  # fmt: skip
_HEADER_LINE = re.compile(r"-- (\w+): (.+)")
_TABLE_NAME = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*)", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")

#: What a rule may say of a violation; a column it does not give is null. The finding stage adds the rest.
VIOLATION_COLUMNS = {
    "rule_id": "varchar",
    "severity": "varchar",
    "day_key": "bigint",
    "patient_key": "bigint",
    "service_date": "date",
    "procedure_code": "varchar",
    "named_code": "varchar",  # the code that an analyst looks at first, where the subject has none
    "note_key": "bigint",
    "block_key": "bigint",
    "block_number": "integer",
    "line_key": "bigint",
    "twin_line_key": "bigint",  # the line that says the same and stands
    "billing_provider_id": "varchar",
    "has_billing_provider_subject": "boolean",
    "clinician_key": "bigint",
    "payer_id": "varchar",
    "has_payer_subject": "boolean",
    "billed_units": "bigint",
    "expected_units": "bigint",
    "expected_units_other_method": "bigint",
    "supported_minutes": "bigint",
    "double_counted_minutes": "bigint",
    "cap_units": "bigint",
    "line_cap_units": "bigint",  # a cap on each line by itself
    "has_every_note": "boolean",  # it rests on notes that do not count too
    "has_overlapping_blocks": "boolean",  # it rests on other patients' blocks that overlap the clinician's
    "at_risk_units": "bigint",
    "is_at_risk_timed_only": "boolean",
    "reference_key": "varchar",
    "message": "varchar",
}


@dataclass(frozen=True)
class Model:
    """One SQL model: its stage, its name (the table it makes), its text and its header."""

    stage: str
    name: str
    text: str
    header: dict

    @property
    def is_view(self) -> bool:
        """A rule is counted and read without being kept; so is a model whose header says `form: view`."""
        return self.stage == "findings" or self.header.get("form") == "view"

    @property
    def needs_no_note(self) -> bool:
        """A rule whose header says `without_notes: judged` is judged where no notes were read."""
        return self.header.get("without_notes") == "judged"

    @property
    def is_passing(self) -> bool:
        """Minutes and units are read in their pass alone; to write them would cost more than to compute them."""
        return self.stage in ("minutes", "units") and not self.is_view

    @property
    def reads(self) -> set[str]:
        """Names after from and join, CTEs included; good enough to order models (a test checks it by parsing)."""
        return set(_TABLE_NAME.findall(_COMMENT.sub("", self.text)))


def rules_without_notes() -> frozenset[str]:
    """Ids of the rules that are judged where no notes were read."""
    return frozenset(model.name for model in load_models("findings") if model.needs_no_note)


def rule_sections(rule_id: str) -> tuple[str, ...]:
    """The sections of an explanation that a rule's header names under `shows`, in that order; none where it does not,
    or where there is no such rule."""
    return _listed(_rule_header(rule_id).get("shows"))


def violated_when(rule_id: str) -> str | None:
    """When the rule calls its subject wrong, in one sentence; None where there is no such rule."""
    return _rule_header(rule_id).get("violated_when")


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names else ()


def _rule_header(rule_id: str) -> dict[str, str]:
    return next((model.header for model in load_models("findings") if model.name == rule_id), {})


@cache
def load_models(stage: str) -> tuple[Model, ...]:
    """The models of one stage in an order in which each finds what it reads; AuditError where there is none."""
    models = {path.stem: _read(stage, path) for path in sorted((FOLDER / stage).glob("*.sql"))}
    ordered: dict[str, Model] = {}
    while len(ordered) < len(models):
        waiting = models.keys() - ordered.keys()
        ready = [models[name] for name in sorted(waiting) if not (models[name].reads & waiting) - {name}]
        if not ready:
            raise AuditError(f"transforms/{stage}: models read each other in a circle")
        ordered |= {model.name: model for model in ready}
    return tuple(ordered.values())


def _read(stage: str, path: Path) -> Model:
    text = path.read_text(encoding="utf-8")
    header = _header(text)
    needed = (*HEADER_KEYS, *RULE_KEYS) if stage == "findings" else HEADER_KEYS
    missing = [key for key in needed if key not in header]
    if missing:
        raise AuditError(f"{path.name}: the header lacks {', '.join(missing)}")
    if unknown := [section for section in _listed(header.get("shows")) if section not in SECTIONS]:
        raise AuditError(f"{path.name}: `shows` names {', '.join(unknown)}; the sections are {', '.join(SECTIONS)}")
    model = Model(stage, path.stem, written_out(text), header)
    require_declared((name for name in model.reads if name.startswith("ref_")), f"transforms/{stage}/{path.name}")
    return model


def _header(text: str) -> dict[str, str]:
    """Keys and values of the comment that a model begins with; a value may go on over several lines."""
    header: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if found := _HEADER_LINE.match(line):
            name = found[1]
            header[name] = found[2]
        elif name:
            header[name] += f" {line.removeprefix('--').strip()}"
    return header


def run_model(con, model: Model, schema: str = "main") -> None:
    """Makes the model's table or view, in `schema` where it is no temporary one; an error names the model, and never a
    value."""
    form = "view" if model.is_view else "table"
    made = f"temp table {model.name}" if model.is_passing else f"{form} {schema}.{model.name}"
    with naming(model):
        con.execute(f"create or replace {made} as {model.text}")


@contextmanager
def naming(model: Model):
    """Turns an error of DuckDB into an AuditError that names the model, and never a value."""
    place = f"transforms/{model.stage}/{model.name}.sql"
    try:
        with under_way(place):
            yield
    except duckdb.Error as problem:
        raise AuditError(f"{place}: {type(problem).__name__}") from problem
