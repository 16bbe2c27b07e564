"""The digest of a night, in Markdown: what has changed since the run before, in counts and dollars, nobody's ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from flows.changes.compare import RuleChange, compare_findings
from flows.runs.manifest_facts import dollars, quarantine_share
from flows.runs.read import read_published
from flows.summary.told import dollars_in_all

#: A share of set-aside rows that moved by less than this is told to nobody, unless it left zero or came back to it.
LEAST_MOVE = 0.001
_HEAD = ("rule", "new", "reopened", "resolved", "changed", "new at risk", "resolved at risk", "changed by")


@dataclass(frozen=True)
class Digest:
    """What is told of a run: its first line, the whole text with that line as heading, and whether it is news."""

    subject: str
    text: str
    is_change: bool


def failure_digest(exit_code: int, message: str) -> Digest:
    """What is told of an audit that failed: its exit code and its one-line message."""
    subject = f"minutewise: the audit failed (exit code {exit_code})"
    return Digest(subject, f"# {subject}\n\n{' '.join(message.split())}\n", True)


def digest_of(manifest: dict, folder: Path) -> Digest:
    """What the run in `folder` changed against the run that was current before it."""
    previous = manifest["previous_run"]
    before = _manifest(folder.parent / previous) if previous else None
    if before is None:
        return _nothing_to_compare(manifest)
    changes = compare_findings(folder.parent / previous, folder, manifest["since"], manifest["until"])
    is_part = bool(manifest["since"] or manifest["until"])
    # The other counts of a part of the dates say nothing beside those of all of them.
    notes = [] if is_part else list(_notes(manifest, before))
    is_other_news = any(is_news for _, is_news in notes)
    guards = _guards(manifest)
    in_short = _in_short(changes, is_other_news, bool(guards))
    subject = f"minutewise {manifest['as_of']}: {_guards_in_short(manifest)}{in_short}"
    part = f" Service dates {manifest['since'] or '...'} to {manifest['until'] or '...'} only." if is_part else ""
    lead = f"Run `{manifest['run_id']}`, compared with `{previous}`.{part}"
    blocks = [f"# {subject}", _listed(guards), lead, _table(changes), _listed([line for line, _ in notes])]
    is_change = bool(changes or guards) or is_other_news
    return Digest(subject, "\n\n".join(block for block in blocks if block) + "\n", is_change)


def _manifest(folder: Path) -> dict | None:
    """The manifest of an earlier run, or None where that run is gone."""
    manifest = read_published(folder.parents[1], folder.name)
    return manifest if (folder / "findings.parquet").exists() else None


def _nothing_to_compare(manifest: dict) -> Digest:
    findings = sum(rule["violations"] for rule in manifest["rules"])
    why = "the run before it is gone" if manifest["previous_run"] else "the first run of its folder"
    subject = f"minutewise {manifest['as_of']}: {_guards_in_short(manifest)}{_many(findings, 'finding')}, {why}"
    lines = [
        *([_listed(guards)] if (guards := _guards(manifest)) else []),
        f"Run `{manifest['run_id']}`: nothing to compare with.",
        f"{_many(findings, 'finding')}; at risk in all, each billed unit once: {dollars_in_all(manifest)}.",
    ]
    return Digest(subject, "\n\n".join([f"# {subject}", *lines]) + "\n", True)


def _in_short(changes: list[RuleChange], is_other_news: bool, has_guards: bool) -> str:
    names = ("new", "reopened", "resolved", "changed")
    counts = {name: sum(getattr(change, name) for change in changes) for name in names}
    told = [f"{count} {name}" for name, count in counts.items() if count]
    if told:
        return "findings: " + ", ".join(told)
    if is_other_news:
        return "no finding changed, something else did"
    return "no finding changed" if has_guards else "nothing changed"


def _table(changes: list[RuleChange]) -> str:
    if not changes:
        return ""
    rows = [_HEAD, ("---", *("---:",) * (len(_HEAD) - 1))]
    rows += [
        (
            change.rule_id,
            change.new,
            change.reopened,
            change.resolved,
            change.changed,
            _amount(change.new_usd),
            _amount(change.resolved_usd),
            _amount(change.changed_usd),
        )
        for change in changes
    ]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def _notes(now: dict, before: dict) -> Iterator[tuple[str, bool]]:
    """Everything but the findings that moved: a line, and whether it alone is worth telling anybody."""
    if now["at_risk_usd"] != before["at_risk_usd"]:
        yield (
            f"At risk in all, each billed unit once: {dollars(now['at_risk_usd'])}, "
            f"was {dollars(before['at_risk_usd'])}",
            True,
        )
    was = {rule["rule_id"]: rule["status"] for rule in before["rules"]}
    for rule in now["rules"]:
        old = was.get(rule["rule_id"], "no rule of ours")
        if rule["status"] != old:
            yield f"{rule['rule_id']}: {rule['status']}, was {old}".replace("not_applicable", "not applicable"), True
    share, old_share = quarantine_share(now), quarantine_share(before)
    if abs(share - old_share) >= LEAST_MOVE or (share > 0) != (old_share > 0):
        yield f"Rows set aside: {share:.2%} of the rows read, was {old_share:.2%}", True
    if new := len(now["payers_without_method"].keys() - before["payers_without_method"].keys()):
        yield (
            f"{_many(new, 'more payer')} whose counting method is not known (payers_without_method in the manifest)",
            True,
        )
    for file in (now["warehouse"] or {}).get("months_written_again", ()):
        yield f"{file} of the previous run had changed on disk: rewritten; check the disk", True
    yield from _dates(now["period"], before["period"])


def _fired(manifest: dict) -> list[dict]:
    return [guard for guard in manifest.get("guards", []) if guard["did_fire"]]


def _guards_in_short(manifest: dict) -> str:
    names = ", ".join(guard["guard"] for guard in _fired(manifest))
    return f"{'guard' if len(_fired(manifest)) == 1 else 'guards'} {names} fired; " if names else ""


def _guards(manifest: dict) -> list[str]:
    """One line a guard that fired: told every night, for what stays wrong is no less wrong the second time."""
    words = {True: "Guard overridden", False: "Guard warned"}
    return [f"{words[guard['was_overridden']]}: {guard['guard']}: {guard['sentence']}" for guard in _fired(manifest)]


def _listed(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _dates(now: dict, before: dict) -> Iterator[tuple[str, bool]]:
    """The covered dates; they move forward every night, so that is no news, but that they shrink is."""
    if now == before:
        return
    period, old = (f"{dates['first'] or '-'} to {dates['last'] or '-'}" for dates in (now, before))
    shrank = bool(before["first"]) and (
        not now["first"] or now["first"] > before["first"] or now["last"] < before["last"]
    )
    yield f"Service dates {period}, was {old}", shrank


def _amount(amount: Decimal) -> str:
    return dollars(amount or None).replace("$-", "-$")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
