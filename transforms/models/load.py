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
from transforms.under_way import under_way

#: Where the stages' folders are.
FOLDER = Path(__file__).resolve().parents[1]
STAGES = ("staging", "minutes", "units", "findings", "proof", "results")
HEADER_KEYS = ("grain", "units", "source")
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
    header = dict(re.findall(r"^-- (\w+): (.+)$", text, re.MULTILINE))
    needed = (*HEADER_KEYS, "not_checked") if stage == "findings" else HEADER_KEYS
    missing = [key for key in needed if key not in header]
    if missing:
        raise AuditError(f"{path.name}: the header lacks {', '.join(missing)}")
    return Model(stage, path.stem, text, header)


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
