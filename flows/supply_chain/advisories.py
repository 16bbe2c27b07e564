"""Known vulnerabilities in the locked packages, as pip-audit finds them (`make audit-deps`).

pip-audit says "No known vulnerabilities found" and exits 0 although it skipped packages that the advisory service did
not know, as behind an index mirror without advisories, where it skips all. Here a package is sound only when the
service answered for it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name

from flows.supply_chain.lock_file import Locked, locked_packages

SOUND, VULNERABLE = 0, 1
#: EX_UNAVAILABLE of sysexits.h: nothing is known, which is not the same as sound.
NOT_AUDITED = 69
#: Seconds for all packages together; each question has pip-audit's own limit.
LIMIT = 900


def audit(tool: Path) -> tuple[int, list[str]]:
    """An exit code, and what to tell: one line a vulnerability, or one line that says what was not audited.

    The service is asked for one package first, so that one that does not answer is asked once.
    """
    packages = [package for package in locked_packages() if package.is_for_here]
    answers: dict[str, list[dict]] = {}
    for asked in (packages[:1], packages):
        answers |= _ask(tool, asked)
        silent = sorted(package.name for package in asked if package.name not in answers)
        if silent:
            break
    known = [_line(name, found) for name, all_found in sorted(answers.items()) for found in all_found]
    if silent:
        known.append(
            f"NOT AUDITED: the advisory service did not answer for {len(silent)} of {len(asked)} packages asked"
            f" ({', '.join(silent[:5])}{', ...' if silent[5:] else ''}), which says nothing about vulnerabilities;"
            " run this where the service is reached"
        )
        return (VULNERABLE if len(known) > 1 else NOT_AUDITED), known
    return (VULNERABLE, known) if known else (SOUND, [f"{len(packages)} packages, no known vulnerability"])


def _ask(tool: Path, packages: list[Locked]) -> dict[str, list[dict]]:
    """Package -> the vulnerabilities that the service knows of its version; without those it did not answer for."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text("".join(_requirement(package) for package in packages), encoding="utf-8")
        command = [tool, "--requirement", asked, "--require-hashes", "--disable-pip", "--format", "json"]
        command += ["--desc", "off", "--aliases", "on", "--progress-spinner", "off"]
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
            found = json.loads(said.stdout)["dependencies"]
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
            return {}
    return {canonicalize_name(package["name"]): package["vulns"] for package in found if "vulns" in package}


def _requirement(package: Locked) -> str:
    hashes = "".join(f" --hash={digest}" for digest in package.hashes)
    return f"{package.name}=={package.version}{hashes}\n"


def _line(name: str, found: dict) -> str:
    others = f" ({', '.join(found['aliases'])})" if found.get("aliases") else ""
    mended = f"mended in {', '.join(found['fix_versions'])}" if found.get("fix_versions") else "not fixed yet"
    return f"{name}: {found['id']}{others}, {mended}"


def main(tool: Path) -> int:
    """Tells what was found; the exit code is 0 sound, 1 vulnerable, 69 not audited."""
    code, lines = audit(tool)
    for line in lines:
        print(f"audit-deps: {line}", file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
