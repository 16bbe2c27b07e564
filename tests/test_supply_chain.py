"""What minutewise is made of is pinned, known and licensed, and an audit that was none never looks clean."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flows.supply_chain import advisories
from flows.supply_chain import lock_file as supply_chain
from flows.supply_chain.lock_file import LOCK, PAGE, ROOT, dependencies, installed, kind, licence, locked_packages
from flows.supply_chain.sbom import bill_of_materials
from transforms.errors import UsageProblem

#: Hosts of package registries, each cut in two so that this file is not one that names them.
REGISTRIES = [
    "".join(parts)
    for parts in [
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("pypi.", "python.org"),
        ("npm", "js.org"),
        ("yarn", "pkg.com"),
        ("deb.", "debian.org"),
        ("crates", ".io"),
        ("proxy.", "golang.org"),
        ("maven", ".org"),
        ("conda", ".anaconda.org"),
    ]
]
FINE = ("permissive", "weak copyleft")
LOCKED = locked_packages()
HERE = [package for package in LOCKED if package.is_for_here]


def test_every_package_of_the_lock_is_pinned_to_one_version_and_to_hashes():
    for package in LOCKED:
        assert re.fullmatch(r"==[\w.+!]+", str(package.requirement.specifier)), package.name
        assert package.hashes, package.name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in package.hashes), package.name


def test_the_lock_says_nothing_of_where_packages_come_from():
    assert all(package.requirement.url is None for package in LOCKED)
    line = re.compile(r"[a-z0-9-]+==\S+( ; [^:/@]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    odd = [text for text in LOCK.read_text().splitlines() if not line.fullmatch(text)]
    assert odd == []


def test_no_committed_file_names_a_package_registry():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    assert len(files) > 100
    named = [
        f"{file.name}: {host}" for file in files for host in REGISTRIES if host.encode() in file.read_bytes().lower()
    ]
    assert named == []


def test_every_direct_dependency_is_locked_inside_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert len(wanted) > 15
    for requirement in map(Requirement, wanted):
        versions = [one.version for one in LOCKED if one.name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement.name} is not in the lock: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_what_is_installed_is_what_is_locked():
    differing = {
        package.name: installed()[package.name].version if package.name in installed() else None
        for package in HERE
        if package.name not in installed() or installed()[package.name].version != package.version
    }
    assert differing == {}


def test_everything_locked_is_asked_for_and_everything_asked_for_is_locked():
    assert set(dependencies("dev")) - {"minutewise"} == {package.name for package in HERE}


def test_the_bill_lists_every_package_with_version_licence_and_the_hashes_of_the_lock():
    bill = bill_of_materials()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    listed = {component["name"]: component for component in bill["components"]}
    assert set(listed) == {package.name for package in HERE}
    for package in HERE:
        component = listed[package.name]
        assert component["purl"] == f"pkg:pypi/{package.name}@{package.version}"
        assert component["licenses"] == [{"expression": licence(package.name)}]
        hashes = component["externalReferences"][0]["hashes"]
        assert {"sha256:" + one["content"] for one in hashes} == set(package.hashes)


def test_the_bill_tells_what_runs_from_what_only_develops():
    scopes = {component["name"]: component["scope"] for component in bill_of_materials()["components"]}
    assert scopes["duckdb"] == scopes["prefect"] == scopes["numpy"] == "required"
    assert scopes["pytest"] == scopes["ruff"] == scopes["hypothesis"] == "excluded"


def test_the_bill_says_who_asks_for_whom():
    bill = bill_of_materials()
    graph = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
    assert set(graph) == {component["bom-ref"] for component in bill["components"]} | {"minutewise"}
    assert {other for others in graph.values() for other in others} <= set(graph)
    version = {package.name: package.version for package in HERE}
    assert f"pkg:pypi/duckdb@{version['duckdb']}" in graph["minutewise"]
    assert f"pkg:pypi/sqlalchemy@{version['sqlalchemy']}" in graph[f"pkg:pypi/prefect@{version['prefect']}"]


def test_two_bills_are_the_same_bytes_wherever_and_whenever_they_are_written(tmp_path):
    bills = []
    for seed, zone in [("1", "Asia/Tokyo"), ("2", "America/New_York")]:
        path = tmp_path / seed / "sbom.json"
        told = subprocess.run(
            [sys.executable, "-m", "flows.supply_chain.sbom", path],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"{len(HERE)} packages" in told.stdout
        bills.append(path.read_bytes())
    assert bills[0] == bills[1]
    assert json.loads(bills[0])["serialNumber"].startswith("urn:uuid:")


def test_a_bill_is_refused_where_another_version_is_installed_than_locked(tmp_path, monkeypatch):
    other = LOCK.read_text().replace("click==", "click==0.")
    monkeypatch.setattr(
        "flows.supply_chain.sbom.locked_packages", lambda: locked_packages(_file(tmp_path / "lock", other))
    )
    with pytest.raises(UsageProblem, match=r"click: locked 0\..*make clean setup"):
        bill_of_materials()


def test_every_package_has_a_known_and_accepted_licence():
    refused = {package.name: licence(package.name) for package in LOCKED if kind(licence(package.name)) not in FINE}
    assert refused == {}


def test_the_guide_names_every_accepted_licence():
    told = (ROOT / "docs" / "supply-chain.md").read_text(encoding="utf-8")
    assert [name for name in supply_chain.ACCEPTED if not re.search(rf"[ :]{re.escape(name)}[ ,.]", told)] == []
    weak = re.search(r"MPL-2\.0 \(([^)]*)\)", told)[1].split(", ")
    assert weak == sorted({one.name for one in LOCKED if kind(licence(one.name)) == "weak copyleft"})


def test_the_page_of_licences_lists_every_package_of_the_lock():
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (.+?) \| (.+?) \|", PAGE.read_text(), re.MULTILINE)
    listed = {name: (expression, how) for name, expression, how in rows if name not in ("package", "---")}
    assert set(listed) == {package.name for package in LOCKED}
    assert all(how in FINE for _, how in listed.values())


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the page is written on Python 3.11, as the lock is")
def test_the_page_of_licences_is_what_make_licences_writes():
    assert PAGE.read_text() == supply_chain.licence_page()


def test_no_licence_is_settled_by_hand_that_the_metadata_settles():
    by_hand = supply_chain.READ_IN_THE_FILE
    assert [name for name in by_hand if supply_chain.stated_licence(installed()[name])] == []
    assert set(supply_chain.ELSEWHERE) <= {package.name for package in LOCKED if package.requirement.marker}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", "permissive"),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", "weak copyleft"),
        ("MPL-2.0 OR MIT", "permissive"),
        ("GPL-3.0-or-later", "not accepted"),
        ("MIT AND AGPL-3.0-only", "not accepted"),
        ("Artistic-1.0-Perl OR GPL-2.0-or-later", "permissive"),
        ("MIT AND Apache-2.0 OR GPL-2.0-only", "permissive"),
        ("Apache-2.0 WITH LLVM-exception", "not accepted"),
        ("", "not accepted"),
    ],
)
def test_copyleft_is_flagged_and_an_unknown_licence_is_not_accepted(expression, expected):
    assert kind(expression) == expected


def _file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _stand_in(folder: Path, body: str) -> Path:
    """A pip-audit that reads which packages it is asked for (`asked`), and answers with `answer`."""
    script = f"""#!{sys.executable}
import json, sys
text = open(sys.argv[sys.argv.index("--requirement") + 1]).read()
asked = [line.split("==")[0] for line in text.splitlines()]
open({str(folder / "asked.log")!r}, "a").write(f"{{len(asked)}}\\n")
sound = [{{"name": name, "version": "1", "vulns": []}} for name in asked]
{body}
"""
    path = _file(folder / "pip-audit", script)
    path.chmod(0o755)
    return path


ANSWER = "print(json.dumps({'dependencies': answer, 'fixes': []}))"


def test_an_audit_is_clean_only_when_the_service_answered_for_every_package(tmp_path):
    code, lines = advisories.audit(_stand_in(tmp_path, f"answer = sound\n{ANSWER}"))
    assert (code, lines) == (0, [f"{len(HERE)} packages, no known vulnerability"])


def test_skipped_packages_are_not_clean_although_pip_audit_says_so(tmp_path):
    """pip-audit itself exits 0 here, with 'No known vulnerabilities found'."""
    body = f"answer = [{{'name': name, 'skip_reason': 'not found'}} for name in asked]\n{ANSWER}"
    code, lines = advisories.audit(_stand_in(tmp_path, body))
    assert code == 69
    assert len(lines) == 1 and lines[0].startswith("NOT AUDITED: the advisory service did not answer")
    assert (tmp_path / "asked.log").read_text() == "1\n", "a service that knows nothing is asked for one package only"


@pytest.mark.parametrize(
    "body", ["sys.exit('ConnectionError: no route')", "print('<html>a portal</html>')", "print('[]')"]
)
def test_a_service_out_of_reach_is_not_clean(tmp_path, body):
    code, lines = advisories.audit(_stand_in(tmp_path, body))
    assert code == 69
    assert "says nothing about vulnerabilities" in lines[0] and "ConnectionError" not in lines[0]


def test_a_missing_pip_audit_is_not_clean(tmp_path):
    assert advisories.audit(tmp_path / "none")[0] == 69


def test_a_vulnerability_is_named_with_where_it_is_mended(tmp_path):
    found = {"id": "PYSEC-1", "fix_versions": ["9.9"], "aliases": ["CVE-1"]}
    body = f"answer = sound[:-1] + [sound[-1] | {{'vulns': [{found}]}}]\n{ANSWER}\nsys.exit(1)"
    code, lines = advisories.audit(_stand_in(tmp_path, body))
    assert code == 1
    assert lines[-1] == f"{HERE[-1].name}: PYSEC-1 (CVE-1), mended in 9.9"


def test_a_vulnerability_is_told_even_when_the_service_fell_silent_on_another_package(tmp_path):
    found = {"id": "PYSEC-1", "fix_versions": [], "aliases": []}
    body = f"answer = [sound[0] | {{'vulns': [{found}]}}] + sound[1:-1]\n{ANSWER}"
    code, lines = advisories.audit(_stand_in(tmp_path, body))
    assert code == 1
    assert lines[0].endswith("PYSEC-1, not fixed yet") and lines[1].startswith("NOT AUDITED")


@pytest.mark.parametrize("target", ["audit-deps", "sbom", "licences", "soak", "test-quick"])
def test_make_knows_the_targets_of_the_supply_chain(target):
    told = subprocess.run(
        ["make", "-n", "-o", "setup", "-o", ".venv/.ready", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for module in re.findall(r"python -m (flows[.\w]+)", told.stdout):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    for name in re.findall(r"tests/\w+\.py", told.stdout):
        assert (ROOT / name).is_file()
    if target == "soak":
        assert "MINUTEWISE_PROFILE=soak" in told.stdout
