"""`minutewise sql`: the whole recomputation as SQL scripts for another database."""

from datetime import date

import click

from flows.option_types import DAY, FOLDER, tell

#: As in transforms/scripts/writing.py, which is not loaded to show the help.
DIALECTS = ("snowflake", "bigquery", "databricks", "postgres", "duckdb")


@click.command(
    epilog="""\b
Examples:
  minutewise sql --dialect postgres --out scripts
  minutewise sql --dialect snowflake --schema AUDIT.MINUTEWISE --reference our-tables/ --out scripts"""
)
@click.option("--dialect", type=click.Choice(DIALECTS), required=True, help="The database that the scripts are for.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the scripts: a new or an empty one.")
@click.option("--schema", metavar="NAME", help="Schema, dataset or database.schema that the tables are named with.")
@click.option("--reference", type=FOLDER, help="Your own dated tables; their rows replace ours by key.")
@click.option("--as-of", type=DAY, help="The as-of date, which is written into one of the scripts.  [default: today]")
@click.option("--since", type=DAY, help="First service date to judge.")
@click.option("--until", type=DAY, help="Last service date to judge.")
def sql(dialect, out, schema, reference, as_of, since, until):
    """Write the recomputation as ordered SQL scripts, to run it where the data lives.

    The PostgreSQL and DuckDB scripts are run in minutewise's own tests; those for Snowflake, BigQuery and Databricks
    were read back by a parser, not executed. Prints the path of each file written.
    """
    from flows.commands.backends.sql_folder import write_scripts

    for path in write_scripts(dialect, out, schema, reference, as_of or date.today(), since, until):
        tell(str(path))
    return 0
