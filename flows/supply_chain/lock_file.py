"""What minutewise is made of: the packages of requirements.lock, who asks for each, and its licence.

`make licences` writes docs/licences.md with it. It reads the lock and the metadata of the installed packages, and
asks nobody.
"""

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK, PAGE = ROOT / "requirements.lock", ROOT / "docs" / "licences.md"
OURS = "minutewise"

#: How far a licence binds whoever passes minutewise on; the place in the list is the rank.
KINDS = ("permissive", "weak copyleft", "not accepted")
#: SPDX id -> rank in KINDS. Weak copyleft binds changes to that package's own files only. An id not here is refused.
ACCEPTED = {
    **dict.fromkeys(("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"), 0),
    **dict.fromkeys(("Artistic-1.0-Perl", "CNRI-Python", "PSF-2.0", "Zlib"), 0),
    "MPL-2.0": 1,
}
#: Classifiers that name one licence; "BSD License" names several.
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
#: Read in the package's own licence file, where its metadata does not name one licence.
READ_IN_THE_FILE = {
    **dict.fromkeys(("altair", "colorama", "cronsim", "jinja2", "jinja2-humanize-extension"), "BSD-3-Clause"),
    **dict.fromkeys(("python-dateutil", "scipy"), "BSD-3-Clause"),
    **dict.fromkeys(("grimp", "import-linter"), "BSD-2-Clause"),
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
}
#: Packages that the lock holds for some platforms or Pythons only, from their metadata.
ELSEWHERE = {
    "async-timeout": "Apache-2.0",
    "pendulum": "MIT",
    "pywin32": "PSF-2.0",
    "tzdata": "Apache-2.0",
    "whenever": "MIT",
}


@dataclass(frozen=True)
class Locked:
    """One entry of the lock; a package has several where its version depends on the Python."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its normalised name, as in an address of a package index."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version it is pinned to; empty where it is not pinned."""
        return str(self.requirement.specifier).removeprefix("==")

    @property
    def is_for_here(self) -> bool:
        """Whether this Python on this platform is one the entry is for."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def locked_packages(lock: Path = LOCK) -> list[Locked]:
    """The entries of the lock, in its order."""
    entries = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    split = (re.split(r"\s+--hash=", entry.strip()) for entry in entries if entry.strip())
    return [Locked(Requirement(requirement), tuple(hashes)) for requirement, *hashes in split]


@cache
def installed() -> dict[str, Distribution]:
    """The packages of this environment by normalised name."""
    return {canonicalize_name(found.name): found for found in distributions()}


def dependencies(*extras: str) -> dict[str, set[str]]:
    """Package -> the installed packages it asks for, from minutewise (with these extras of its own) onwards."""
    asked: dict[str, set[str]] = {}
    todo = [(OURS, extra) for extra in ("", *extras)]
    seen = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen or name not in installed():
            continue
        seen.add((name, extra))
        wanted = [Requirement(text) for text in installed()[name].requires or ()]
        wanted = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})]
        asked.setdefault(name, set()).update(canonicalize_name(one.name) for one in wanted)
        todo += [(canonicalize_name(one.name), other) for one in wanted for other in ("", *one.extras)]
    return {name: others & installed().keys() for name, others in asked.items()}


def licence(name: str) -> str:
    """The licence of a package of the lock as an SPDX expression; empty where nobody has settled it."""
    if name not in installed():
        return ELSEWHERE.get(name, "")
    return stated_licence(installed()[name]) or READ_IN_THE_FILE.get(name, "")


def stated_licence(package: Distribution) -> str:
    """The licence that the package's metadata names, as an SPDX expression; empty where it names none or several."""
    for field in ("License-Expression", "License"):
        try:
            return canonicalize_license_expression(package.metadata.get(field) or "")
        except InvalidLicenseExpression:
            continue
    stated = [line for line in package.metadata.get_all("Classifier") or () if line.startswith("License :: ")]
    return CLASSIFIERS.get(stated[0], "") if len(stated) == 1 else ""


def kind(expression: str) -> str:
    """Which of KINDS a licence expression is: the graver one of an AND, the lighter one of an OR."""
    quoted = re.sub(
        r"[\w.+-]+(?: WITH [\w.-]+)?",
        lambda found: found[0].lower() if found[0] in ("AND", "OR") else repr(found[0]),
        expression,
    )
    return KINDS[_rank(ast.parse(quoted or "''", mode="eval").body)]


def _rank(part: ast.expr) -> int:
    if isinstance(part, ast.BoolOp):
        return (max if isinstance(part.op, ast.And) else min)(map(_rank, part.values))
    return ACCEPTED.get(part.value, KINDS.index("not accepted"))


def licence_page() -> str:
    """docs/licences.md: one row a package of the lock."""
    running = dependencies()
    names = sorted({package.name for package in locked_packages()})
    lines = [
        "# Licences",
        "",
        "Made by `make licences` from the metadata of the packages in `requirements.lock`; do not edit. What is",
        "accepted, and what this page does not say, is in [supply-chain.md](supply-chain.md).",
        "",
        "| package | licence | kind | needed |",
        "| --- | --- | --- | --- |",
    ]
    for name in names:
        expression = licence(name)
        needed = "to run" if name in running else "elsewhere" if name in ELSEWHERE else "to develop"
        lines.append(f"| {name} | {expression or 'unknown'} | {kind(expression)} | {needed} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the page; 1, with a line a package, where a licence is unknown or not accepted."""
    PAGE.write_text(licence_page(), encoding="utf-8")
    refused = sorted({one.name for one in locked_packages() if kind(licence(one.name)) == "not accepted"})
    for name in refused:
        print(
            f"licences: {name}: {licence(name) or 'unknown'} is not accepted; see docs/supply-chain.md", file=sys.stderr
        )
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
