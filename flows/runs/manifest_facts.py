"""What a run's manifest says in numbers: the files it read, the share of rows set aside, amounts of money."""

from decimal import Decimal


def dollars(amount) -> str:
    """An amount as people write it, or a dash where no money is known."""
    return "-" if amount is None else f"${Decimal(str(amount)):,.2f}"


def new_inputs(manifest: dict) -> list[dict]:
    """The files that the run itself read: of a warehouse, those that were new."""
    return [entry for entry in manifest["inputs"] if entry.get("is_new", True)]


def quarantine_share(manifest: dict) -> float:
    """The share of the rows read that was set aside, 0 to 1; 0 where no row was read."""
    read = sum(entry["rows_read"] for entry in new_inputs(manifest))
    return sum(entry["rows_quarantined"] for entry in new_inputs(manifest)) / read if read else 0.0
