"""`minutewise bench`: how fast an audit is here, held against a floor."""

import json
import re

import click

from flows.option_types import FOLDER, tell

#: pandas goes day by day through Python: beyond this it takes minutes, and proves nothing more.
MOST_FOR_PANDAS = 400_000
LEAST_VISITS = 100


class Sizes(click.ParamType):
    """Whole factors, such as 1,4,16, as a sorted tuple."""

    name = "1,4,16"

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"[1-9][0-9]{0,4}(,[1-9][0-9]{0,4})*", value):
            self.fail(f"{value!r} are not factors; write them as 1,4,16", param, ctx)
        return tuple(sorted({int(factor) for factor in value.split(",")}))


@click.command(
    epilog="""\b
Examples:
  minutewise bench
  minutewise bench --visits 6000000 --sizes 1 --memory-limit 4GB --csv-visits 0 --keep /data/bench

\b
Exit codes: 0 measured; 2 usage; 4 a measured program failed. What is measured: docs/benchmark.md."""
)
@click.option("--visits", type=click.IntRange(LEAST_VISITS), default=25_000, show_default=True, help="The base size.")
@click.option("--sizes", type=Sizes(), default="1,4,16", show_default=True, help="Measure this many times the base.")
@click.option(
    "--csv-visits",
    type=click.IntRange(0),
    help="Size at which CSV is held against Parquet; 0: none.  [default: largest]",
)
@click.option(
    "--pandas-visits",
    type=click.IntRange(0),
    help=f"Size at which pandas is tried; 0: not.  [default: largest, at most {MOST_FOR_PANDAS:,}]",
)
@click.option("--seed", type=click.IntRange(0, 1_000_000), default=1, show_default=True, help="Draws other extracts.")
@click.option("--threads", type=click.IntRange(1), help="Most threads of audit and floor.  [default: all]")
@click.option("--memory-limit", metavar="SIZE", help="Most memory of audit and floor, such as 4GB.  [default: 80%]")
@click.option("--keep", type=FOLDER, help="Keep the extracts here, and use those that are here already.")
@click.option("--results", type=FOLDER, help="Keep the dated JSON document in this folder.  [default: print it only]")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document.")
def bench(visits, sizes, csv_visits, pandas_visits, seed, threads, memory_limit, keep, results, as_json):
    """Make extracts of several sizes, audit them, and hold the seconds against a bare scan of the same files.

    Needs no data: the extracts are made up, seeded, with errors planted. They go to a temporary folder.
    """
    from flows.bench.measure import Limits
    from flows.bench.run import Asked, write_results
    from flows.bench.run import bench as measure_all
    from flows.bench.text import bench_text
    from transforms.database.duckdb_file import checked_memory_limit, checked_threads
    from transforms.errors import UsageProblem

    measured = tuple(visits * factor for factor in sizes)
    asked = Asked(
        sizes=measured,
        csv_visits=max(measured) if csv_visits is None else csv_visits,
        pandas_visits=min(max(measured), MOST_FOR_PANDAS) if pandas_visits is None else pandas_visits,
        seed=seed,
        limits=Limits(checked_threads(threads), checked_memory_limit(memory_limit)),
        keep=keep and keep.resolve(),
    )
    try:  # now, not after minutes of measuring
        if results:
            results.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageProblem(f"--results {results}: cannot be made ({problem.strerror}); choose another folder") from None
    document = measure_all(asked, lambda what: click.echo(f"minutewise: {what}", err=True))
    tell(json.dumps(document, indent=2) if as_json else bench_text(document))
    if results:
        click.echo(f"minutewise: results in {write_results(document, results)}", err=True)
    return 0
