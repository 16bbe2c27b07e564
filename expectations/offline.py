"""Great Expectations without the one socket that importing it opens."""

import socket


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
