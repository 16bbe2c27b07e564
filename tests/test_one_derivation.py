"""One explanation, four drawings: what its parts hold is what terminal, page, HTML packet and PDF packet show."""

import csv
import json
import re
from collections.abc import Iterator

import pypdfium2
import pytest

from expectations.report.packet.html import packet_html
from expectations.report.packet.pdf import packet_pdf
from expectations.report.page.opened import opened
from expectations.report.parts import ClockLine, Columns, Pairs, Paragraph, Section, Table
from flows.evidence.packet import packet
from flows.explanation.compose.explanation import explanation
from flows.explanation.derive.many import derive_many
from flows.explanation.terminal.clock import SIGNS
from flows.explanation.terminal.text import explain_text
from tests.explain_cases import AS_OF, SAMPLES, audited, findings_of, manifest_of
from transforms.models.load import load_models

#: Rules with a planted finding in the samples; one that somebody added since may have none.
with (SAMPLES / "ledger.csv").open(encoding="utf-8", newline="") as file:
    PLANTED = {row["rule_id"] for row in csv.DictReader(file)}
RULES = [model.name for model in load_models("findings") if model.name in PLANTED]


@pytest.fixture(scope="module")
def derivations(tmp_path_factory) -> dict[str, dict]:
    """The derivation of the first finding of each rule on the samples."""
    folder = audited(tmp_path_factory.mktemp("one") / "out", SAMPLES, AS_OF, SAMPLES / "reference")
    first = {row["rule_id"]: row for row in reversed(findings_of(folder))}
    return dict(zip(first, derive_many(folder, manifest_of(folder), list(first.values())), strict=True))


def texts(part) -> Iterator[str]:
    """Every text of a part that a reader has to see."""
    if isinstance(part, Section):
        yield part.title
        for one in part.parts:
            yield from texts(one)
    elif isinstance(part, Columns):
        for one in part.sections:
            yield from texts(one)
    elif isinstance(part, Paragraph):
        yield part.text
    elif isinstance(part, Pairs):
        yield from (text for row in part.rows for text in row)
    elif isinstance(part, Table):
        yield part.caption
        yield from (cell for row in part.rows for cell in row)
    elif isinstance(part, ClockLine):
        yield from (lane.label for lane in part.lanes)


def closed(text: str) -> str:
    """The text without what a drawing may put between its signs: blanks, breaks, and places to break a line."""
    return re.sub(r"[\s\u200b\u00ad\ufffe-]+", "", text).lower()


@pytest.mark.parametrize("rule_id", RULES)
def test_every_drawing_shows_every_text_of_the_parts(derivations, rule_id):
    facts = derivations[rule_id]
    made = explanation(facts)
    shown = [text for section in made.sections if not section.is_aside for text in texts(section)]
    aside = [text for section in made.sections if section.is_aside for text in texts(section)]
    assert len(shown) > 20
    bound = packet([facts], [], is_masked=False)
    html = re.sub(r"<style.*?</style>|<[^>]*>", " ", packet_html(bound).decode(), flags=re.DOTALL)
    document = pypdfium2.PdfDocument(packet_pdf(bound))
    pdf = "".join(page.get_textpage().get_text_bounded() for page in document)
    drawings = {
        "terminal": closed(explain_text(facts)),
        "page": closed(json.dumps(opened(made), ensure_ascii=False).replace('\\"', '"')),
        "HTML packet": closed(unescaped(html)),
        "PDF packet": closed(pdf),
    }
    for name, drawing in drawings.items():
        wanted = shown + (aside if "packet" in name else [])
        assert [text for text in wanted if closed(text) not in drawing] == [], name
    assert aside == [] or closed(aside[0]) not in drawings["terminal"]


def unescaped(page: str) -> str:
    for entity, sign in (("&#34;", '"'), ("&#39;", "'"), ("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&")):
        page = page.replace(entity, sign)
    return page


def test_the_drawing_of_a_terminal_has_a_sign_for_every_kind_of_minutes():
    assert len(set(SIGNS.values())) == len(SIGNS)
