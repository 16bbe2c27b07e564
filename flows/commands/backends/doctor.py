"""`minutewise doctor`: which versions run together here, and what would keep an audit from working."""

import os
import platform
import socket
import sys
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from flows.commands.backends.shipped_files import NEEDED, missing_files
from flows.identity import code_version, package_version
from transforms.database.duckdb_file import open_database
from transforms.engines.spark.session import LEAST_JAVA, java_version
from transforms.shipped import DATA

PACKAGES = (
    "duckdb",
    "duckdb-sqlalchemy",
    "great-expectations",
    "prefect",
    "fastapi",
    "sqlalchemy",
    "pandas",
    "pyarrow",
)


def examine() -> dict:
    """Versions by package, DuckDB's settings, the files that come with the code, and whether a Prefect server answers;
    `ok` says if audits can run."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    missing = missing_files()
    with open_database() as con:
        threads, memory = con.execute("select current_setting('threads'), current_setting('memory_limit')").fetchone()
    return {
        "ok": sys.version_info >= (3, 11) and all(versions.values()) and not missing,
        "minutewise": package_version() if missing else code_version(),
        "python": platform.python_version(),
        "packages": versions,
        "files": str(DATA),
        "missing_files": missing,
        "duckdb_threads": threads,
        "duckdb_memory_limit": memory,
        "prefect_server": _prefect_server(),
        "spark": _spark(),
    }


def _spark() -> str:
    """Whether `--engine spark` can work: its package and a Java runtime; it is an extra, and nothing else needs it."""
    try:
        found = f"pyspark {version('pyspark')}"
    except PackageNotFoundError:
        return "not installed: run make setup-spark in a checkout (only for --engine spark)"
    java = java_version()
    return f"{found}, Java {java}" if java else f"{found}, and no Java runtime: install version {LEAST_JAVA} or newer"


def _prefect_server() -> str:
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return "none named (PREFECT_API_URL is not set): --prefect starts a temporary one"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme, 4200)
    except ValueError:
        host = None
    if not host:
        return "PREFECT_API_URL is not an address; write it as http://localhost:4200/api"
    try:
        with socket.create_connection((host, port), timeout=2):
            return f"answers at {host}:{port}"
    except (OSError, UnicodeError):
        return f"does not answer at {host}:{port}"


def examine_text(found: dict) -> str:
    """The same as lines."""
    lines = [f"minutewise {found['minutewise']}, Python {found['python']}"]
    lines += [f"  {name} {number or 'MISSING: run make setup'}" for name, number in found["packages"].items()]
    lines += _files_text(found)
    lines.append(f"DuckDB: {found['duckdb_threads']} threads, at most {found['duckdb_memory_limit']} of memory")
    lines.append(f"Prefect server: {found['prefect_server']}")
    lines.append(f"Spark: {found['spark']}")
    lines.append("Ready." if found["ok"] else "Not ready: see MISSING above.")
    return "\n".join(lines)


def _files_text(found: dict) -> list[str]:
    if not found["missing_files"]:
        return [f"Files: {', '.join(NEEDED)} are complete; samples and mappings are in {found['files']}"]
    lines = ["Files: these are missing; install minutewise again (pip install . in a checkout):"]
    for kind, paths in found["missing_files"].items():
        lines += [f"  MISSING, of {kind}: {path}" for path in paths]
    return lines
