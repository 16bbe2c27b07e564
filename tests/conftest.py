"""What holds for every test.

Audits run light (tests/stand_ins.py), unless a module is marked `whole_audit`, or a test asks for the fixture
`whole_audit`; in a module so marked, the fixture `light_audit` makes those of one test light.
"""

import pytest

from tests.stand_ins import light_audits
from transforms.database.duckdb_file import SETTINGS

# Tests run side by side, one to a core, and their few rows are sooner read by one thread. A test that names a number of
# threads has that number; processes of their own have DuckDB's.
SETTINGS.setdefault("threads", 1)


@pytest.fixture(scope="module", autouse=True)
def audits_of_the_module(request):
    """Light audits for a module that is not marked."""
    if request.node.get_closest_marker("whole_audit"):
        yield
        return
    with light_audits():
        yield


@pytest.fixture
def light_audit():
    """Light audits for one test of a marked module."""
    with light_audits():
        yield
