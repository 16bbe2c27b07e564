"""The engines that the heavy stages run on: DuckDB, and Apache Spark where one machine is not enough.

`extract`, `contract` and `recompute` say what they compute in DuckDB's SQL, and run it through `execute`. DuckDB's own
connection is such an engine as it stands; spark/engine.py is the other. What later stages need is then
handed over to the run's DuckDB file, so nothing after the recomputation knows which engine it was.
"""

from typing import Protocol

from transforms.errors import AuditError


class Rows(Protocol):
    """What came of a query, as Python's database interface has it."""

    description: list[tuple]

    def fetchone(self) -> tuple | None: ...

    def fetchall(self) -> list[tuple]: ...


class Engine(Protocol):
    """All that the stages ask of an engine: `text` is one or several statements of DuckDB's SQL, its values given as
    for DuckDB (`?` and a list, `$name` and a dict)."""

    def execute(self, text: str, parameters=None) -> Rows: ...


class EngineFault(AuditError):
    """The engine itself failed (memory, disk, a lost node), whatever it was asked."""
