"""The scripts and styles of the page, all inline, and the policy that lets nothing else run or load.

DataTables comes from the installed itables package, which carries it with its licences as one ES module.
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

_TEMPLATES = Path(__file__).parents[1] / "templates"
#: An inline module cannot be imported by another: what the bundle exports is handed over by name instead.
_EXPORTS = re.compile(r"\bexport\s*\{([^{}]*)\}\s*;?")
#: Either would change how the browser reads the rest of the script element; both stand only in texts and patterns.
_ENDING = re.compile(r"<(?=!--|/?script)", re.IGNORECASE)


@cache
def scripts() -> tuple[Markup, Markup]:
    """The scripts in the order they run: DataTables, and the page's own."""
    own = "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("page_opened.js", "page.js"))
    return Markup(_data_tables()), Markup(f"\n{own}")


@cache
def styles() -> tuple[Markup, Markup]:
    """The style sheets: DataTables', and the page's own, which has the last word."""
    theirs = files("itables").joinpath("html/dt_bundle.css").read_text(encoding="utf-8")
    return Markup(theirs), Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8"))


def policy() -> str:
    """The Content-Security-Policy: nothing is loaded, and of scripts only these run."""
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts())
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {hashes}; base-uri 'none'"


def _data_tables() -> str:
    source = files("itables").joinpath("html/dt_bundle.js").read_text(encoding="utf-8")
    *_, exported = _EXPORTS.finditer(source)
    names = dict(reversed(pair.split(" as ")) for pair in (part.strip() for part in exported[1].split(",")))
    handed = f"globalThis.minutewiseTables={{DataTable:{names['default']}}};"
    return _ENDING.sub(r"\\x3C", source[: exported.start()] + handed + source[exported.end() :])


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
