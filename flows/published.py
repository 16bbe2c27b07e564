"""Published runs as they are read again: which is current, what its manifest says, which tables it kept."""

import json
from pathlib import Path

from flows.placing import CURRENT, MANIFEST
from transforms.errors import UsageProblem

#: Tables kept as they were in force on the run, so that a finding can be derived again by hand.
KEPT_TABLES = (
    "ref_procedure_code",
    "ref_code_cap",
    "ref_payer_method",
    "ref_code_alias",
    "ref_parameter",
    "ref_audit_rule",
    "crosswalk_patient",
    "crosswalk_provider",
    "crosswalk_payer",
)


def read_published(out: Path, run_id: str) -> dict | None:
    """The manifest of a run that is published already, else None."""
    path = out / "runs" / run_id / MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UsageProblem(f"{path}: cannot be read as a manifest; remove the run's folder and audit again") from None


def current_run(out: Path) -> str | None:
    """The run id last published, or None before the first."""
    try:
        return (out / CURRENT).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UsageProblem(f"{out / CURRENT}: cannot be read as a run id; remove it and audit again") from None
