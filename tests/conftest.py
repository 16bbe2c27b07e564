"""What holds for every test.

Audits run light (tests/stand_ins.py), unless a module is marked `whole_audit`. A test of another kind than its module
asks for the fixture `whole_audit` or `light_audit`.
"""

import pytest

from tests.stand_ins import LIGHT, WHOLE, audits
from transforms.database.duckdb_file import SETTINGS

# Tests run side by side, one to a core, and their few rows are sooner read by one thread. A test that names a number of
# threads has that number; processes of their own have DuckDB's.
SETTINGS.setdefault("threads", 1)


@pytest.fixture(scope="module", autouse=True)
def audits_of_the_module(request):
    """Whole audits for a module that is marked so, light ones for all others."""
    with audits(WHOLE if request.node.get_closest_marker("whole_audit") else LIGHT):
        yield


@pytest.fixture
def light_audit():
    """Light audits for one test."""
    with audits(LIGHT):
        yield


@pytest.fixture
def whole_audit():
    """Whole audits for one test."""
    with audits(WHOLE):
        yield
