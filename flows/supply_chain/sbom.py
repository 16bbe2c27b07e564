"""A software bill of materials of this environment, as CycloneDX 1.6 JSON (`make sbom`).

The same lock and environment give the same bytes: it holds no time, and its serial number is drawn from what it says.
"""

import hashlib
import json
import sys
import uuid
from pathlib import Path

from flows.supply_chain.lock_file import OURS, Locked, dependencies, installed, licence, locked_packages
from transforms.errors import UsageProblem


def bill_of_materials() -> dict:
    """The bill: minutewise, every package of the lock that is installed here, and who asks for whom.

    Raises UsageProblem where what is installed is not what is locked: a bill would then lie about one of the two.
    """
    packages = [package for package in locked_packages() if package.is_for_here]
    for package in packages:
        found = installed()[package.name].version if package.name in installed() else "nothing"
        if found != package.version:
            raise UsageProblem(f"{package.name}: locked {package.version}, installed {found}; run `make clean setup`")
    running = dependencies()
    components = [_component(package, package.name in running) for package in packages]
    references = {package.name: _purl(package) for package in packages} | {OURS: OURS}
    asked = dependencies("dev")
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": OURS,
                "name": OURS,
                "version": installed()[OURS].version,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": reference, "dependsOn": sorted(references[other] for other in asked.get(name, ()))}
            for name, reference in sorted(references.items())
        ],
    }
    said = hashlib.sha256(json.dumps(bill, sort_keys=True).encode()).hexdigest()
    return bill | {"serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, said)}"}


def _component(package: Locked, is_needed_to_run: bool) -> dict:
    """One package. Its hashes stand at its distribution: the lock says which files may be installed, not which was."""
    return {
        "type": "library",
        "bom-ref": _purl(package),
        "name": package.name,
        "version": package.version,
        "scope": "required" if is_needed_to_run else "excluded",
        "licenses": [{"expression": licence(package.name)}],
        "purl": _purl(package),
        "externalReferences": [
            {
                "type": "distribution",
                "url": _purl(package),
                "comment": "one of these files, as in requirements.lock",
                "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")} for digest in package.hashes],
            }
        ],
    }


def _purl(package: Locked) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"


def main(path: Path) -> int:
    """Writes the bill to a file."""
    try:
        bill = bill_of_materials()
    except UsageProblem as problem:
        print(f"sbom: {problem}", file=sys.stderr)
        return problem.exit_code
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{path}: {len(bill['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
