"""The arithmetic of a report: ratios to the floor, how cost grows from size to size, CSV against Parquet."""

import math
from itertools import pairwise

#: What (a) covers: reading, the contract, and the recomputation with its findings.
RECOMPUTED = ("identify", "extract", "contract", "recompute")
#: Left out of (b): the spreadsheet, and the import of Great Expectations.
ASIDE = ("publish_workbook", "judge_import")


def ratios(run: dict) -> dict[str, float]:
    """The seconds of (a) load, contract and recompute, and of (b) the whole audit from the start of its process to its
    end without ASIDE, and both in multiples of the floor's median."""
    recomputed = sum(run["seconds"][stage] for stage in RECOMPUTED)
    whole = run["seconds_in_all"] - sum(run["seconds_within"].get(part, 0.0) for part in ASIDE)
    floor = run["floor_seconds"]["median"]
    return {
        "recomputed_seconds": round(recomputed, 3),
        "whole_seconds": round(whole, 3),
        "recomputed_to_floor": round(recomputed / floor, 2),
        "whole_to_floor": round(whole / floor, 2),
    }


def growth(runs: list[dict]) -> list[dict]:
    """From each size to the next, the exponent e with which seconds grow as visits to the power of e: 1 is linear,
    2 would be four times the seconds for twice the visits."""
    steps = []
    for small, large in pairwise(runs):
        visits = large["visits"] / small["visits"]
        exponents = {
            name: round(math.log(large["ratios"][f"{name}_seconds"] / small["ratios"][f"{name}_seconds"], visits), 2)
            for name in ("recomputed", "whole")
        }
        steps.append({"from_visits": small["visits"], "to_visits": large["visits"], **exponents})
    return steps


def against_parquet(csv: dict, parquet: dict) -> dict:
    """How many times the seconds of the same rows as Parquet the CSV files take."""
    return {
        "visits": csv["visits"],
        **{
            name: round(csv["ratios"][f"{name}_seconds"] / parquet["ratios"][f"{name}_seconds"], 2)
            for name in ("recomputed", "whole")
        },
    }
