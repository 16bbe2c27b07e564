"""`minutewise audit`: load extracts, recompute, judge and publish."""

import click

from flows.commands.options import (
    CLAIMS_ONLY,
    COMMON,
    DATES,
    ENGINE,
    EXTRACTS,
    OUT,
    WAREHOUSE,
    run_and_tell,
    with_options,
)


@click.command(
    epilog="""\b
Examples:
  minutewise audit --extracts extracts/ --out out/
  minutewise audit --extracts extracts/ --out out/ --reference our-payers/ --fail-on error --json
  minutewise audit --extracts extracts/ --out out/ --warehouse clinic.duckdb
  minutewise audit --extracts extracts/ --out out/ --engine spark --spark-master 'local[2]'
  minutewise audit --claims 'claims/*.parquet' --out out-claims/ --claims-only
  minutewise audit --claims 'claims/*.parquet' --notes notes.csv --note-blocks blocks.csv --out out/

\b
Exit codes: 0 published; 1 published, and a rule failed at or above --fail-on; 2 usage or configuration;
3 input rejected, nothing published; 4 internal error; 75 another run holds the output folder."""
)
@with_options(EXTRACTS[0], OUT, WAREHOUSE, *EXTRACTS[1:], CLAIMS_ONLY, *DATES, *COMMON, *ENGINE)
def audit(**options):
    """Load extracts, recompute, judge and publish."""
    return run_and_tell(**options)
