"""Great Expectations without what importing it does beside: trying a socket, reading SciPy's statistics and pyspark."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import LazyLoader, find_spec, module_from_spec

STATISTICS = "scipy.stats"


def import_http_offline() -> None:
    """Imports urllib3, which Great Expectations brings along, so that it does not try a socket on ::1.

    At its first import it binds one to see whether the machine speaks IPv6 (urllib3.util.connection, 2.x). Nothing
    here speaks to anybody; without the answer it would speak IPv4.
    """
    known, socket.has_ipv6 = socket.has_ipv6, False
    try:
        import urllib3.util.connection  # noqa: F401
    finally:
        socket.has_ipv6 = known


def leave_statistics_unread() -> None:
    """Names scipy.stats without reading it: that is a quarter of what importing Great Expectations takes, for three of
    its tests of distributions, and no suite here has one. Who asks it for anything has it read then.
    """
    if STATISTICS in sys.modules:
        return
    import scipy

    spec = find_spec(STATISTICS)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    # `from scipy import stats` looks at the package first; the import system itself would read the module.
    sys.modules[STATISTICS] = scipy.stats = module
    spec.loader.exec_module(module)


@contextmanager
def spark_unread() -> Iterator[None]:
    """Within it Great Expectations does not find pyspark, which it would import for nothing where it is installed."""
    if "pyspark" in sys.modules:
        yield
        return
    sys.modules["pyspark"] = None
    try:
        yield
    finally:
        del sys.modules["pyspark"]
