"""`minutewise evidence`: findings as a packet for an outside reviewer."""

import click

from flows.option_types import FILE, FOLDER, tell


@click.command(
    epilog="""\b
Examples:
  minutewise evidence out 4f1c2a --pdf
  minutewise evidence out 4f1c2a 99d0e1 --to packets --pdf --mask --mask-key-file mask.key"""
)
@click.argument("out", type=FOLDER)
@click.argument("finding_ids", nargs=-1, required=True, metavar="FINDING_ID...")
@click.option("--run", "run_id", metavar="RUN_ID", help="A run other than the current one.")
@click.option(
    "--to", type=FOLDER, help="Folder for the packet; made where it is not there.  [default: evidence, below OUT]"
)
@click.option("--pdf", "with_pdf", is_flag=True, help="Write a PDF beside the HTML.")
@click.option("--mask", is_flag=True, help="Pseudonyms for every id; dates, codes, payers and amounts stay.")
@click.option("--mask-key-file", type=FILE, help="Key of the pseudonyms: one line of 32 characters or more, mode 0600.")
def evidence(out, finding_ids, run_id, to, with_pdf, mask, mask_key_file):
    """Write the evidence packet of findings: all that a reviewer needs to check them with a pencil.

    The first characters of a FINDING_ID are enough. Prints the path of each file written.
    """
    if mask != bool(mask_key_file):
        raise click.UsageError("--mask and --mask-key-file go together; `openssl rand -hex 32` makes a key")
    from flows.evidence.write import write_evidence
    from flows.explanation.derive.rebuild import telling_damage

    with telling_damage(out, run_id):
        paths = write_evidence(out, finding_ids, run_id, to or out / "evidence", with_pdf, mask_key_file)
    for path in paths:
        tell(str(path))
    return 0
