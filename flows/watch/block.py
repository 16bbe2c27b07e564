"""Hands stdin to a Prefect notification block: `python -m flows.watch.block TYPE/NAME OUT`.

A process of its own: Prefect may take its time, and writes to streams that are not its own.
"""

import sys
from pathlib import Path

from flows.watch.prefect_home import prepare_prefect


def hand_over(name: str, out: Path, text: str) -> None:
    """Notifies with the text's heading as subject and the rest as body; raises what Prefect raises."""
    prepare_prefect(out)
    import prefect.blocks.notifications  # noqa: F401  registers Prefect's own kinds of blocks
    from prefect.blocks.core import Block

    heading, _, body = text.partition("\n")
    block = Block.load(name)
    with block.raise_on_failure():
        block.notify(body.strip(), subject=heading.removeprefix("# "))


if __name__ == "__main__":
    hand_over(sys.argv[1], Path(sys.argv[2]), sys.stdin.buffer.read().decode("utf-8"))
