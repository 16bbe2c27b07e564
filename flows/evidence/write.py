"""`minutewise evidence`: findings of a published run as a packet that an outside reviewer checks with a pencil."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from expectations.report.packet.html import packet_html
from expectations.report.packet.pdf import packet_pdf
from expectations.report.parts import Packet
from flows.disk.durable import aside_of, fsync
from flows.disk.rights import PRIVATE
from flows.evidence.mask import Mask, read_mask_key
from flows.evidence.packet import InputFile, packet
from flows.explanation.derive.many import derive_many
from flows.explanation.derive.one import SHORTEST_PREFIX, derive
from flows.failures import system_words
from flows.runs.mapping_facts import mapped_lines
from flows.runs.read import published_rows, read_published
from transforms.errors import UsageProblem

#: Characters of the first finding's id that stand in a file's name.
_NAMED_BY = 12
_BEGIN_SO = "exists (select 1 from unnest(?) as wanted(prefix) where starts_with(finding_id, wanted.prefix))"


def write_evidence(
    out: Path, finding_ids: Sequence[str], run_id: str | None, to: Path, with_pdf: bool, mask_key_file: Path | None
) -> list[Path]:
    """Writes the packet of the findings into the folder `to`, as HTML and if asked as PDF, and gives the files' paths.

    Each file is replaced as a whole, for its owner only; the same findings give the same bytes. With a key file all
    ids are masked. Raises UsageProblem as `explain` does, and where a file cannot be read or written.
    """
    key = read_mask_key(mask_key_file) if mask_key_file else None
    derivations = derived(out, finding_ids, run_id)
    manifest = read_published(out, derivations[0]["run"]["run_id"])
    name, made = _packet(derivations, manifest, key)
    pages = {".html": packet_html(made)} | ({".pdf": packet_pdf(made)} if with_pdf else {})
    return [_write(to, f"{name}{ending}", content) for ending, content in pages.items()]


def derived(out: Path, finding_ids: Sequence[str], run_id: str | None) -> list[dict]:
    """The derivations of findings of one run, in the order asked, each once."""
    first = derive(out, finding_ids[0], run_id)
    run = first["run"]["run_id"]
    folder = out / "runs" / run
    wanted = [finding_id.strip().lower() for finding_id in finding_ids[1:]]
    rows = published_rows(folder, "findings", _BEGIN_SO, [wanted]) if wanted else []
    asked = {}
    for prefix in wanted:
        found = [row for row in rows if row["finding_id"].startswith(prefix)]
        if len(found) != 1 or len(prefix) < SHORTEST_PREFIX:
            derive(out, prefix, run)  # which says what is wrong with it
        asked[found[0]["finding_id"]] = found[0]
    asked.pop(first["finding"]["finding_id"], None)
    return [first, *derive_many(folder, read_published(out, run), list(asked.values()))]


def _packet(derivations: list[dict], manifest: dict, key: bytes | None) -> tuple[str, Packet]:
    """The packet and the name of its files without their ending."""
    inputs = manifest["inputs"]
    mask = Mask(key, [entry["file"] for entry in inputs]) if key else None
    files = [
        InputFile(entry["table"], mask.file(entry["file"]) if mask else entry["file"], *_counted(entry))
        for entry in inputs
    ]
    shown = [mask.derivation(facts) for facts in derivations] if mask else derivations
    first = shown[0]["finding"]["finding_id"]
    name = f"evidence-{first if mask else first[:_NAMED_BY]}"
    more = f"-and-{len(shown) - 1}" if len(shown) > 1 else ""
    return name + more, packet(shown, files, is_masked=mask is not None, mapped=mapped_lines(manifest))


def _counted(entry: dict) -> tuple[str, int]:
    return entry["sha256"], entry["rows_read"]


def _write(folder: Path, name: str, content: bytes) -> Path:
    """Replaces a file as a whole: written aside for its owner only, then renamed."""
    path = folder / name
    aside = aside_of(path)
    try:
        _make_folder(folder)
        aside.unlink(missing_ok=True)
        # O_EXCL follows no link that somebody laid there meanwhile.
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE.file_mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fsync(aside)
        aside.replace(path)
    except OSError as problem:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise UsageProblem(
            f"{path}: cannot be written ({system_words(problem)}); choose a folder of your own with --to"
        ) from None
    return path


def _make_folder(folder: Path) -> None:
    """Makes the folder, and those above it that are not there, for their owner only."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=PRIVATE.folder_mode)
