"""Hypothesis strategies: small random extracts that crowd the boundaries of the rule book.

`extracts()` draws (claims, notes, blocks, as_of, reference) as the oracle takes them. Notes come first; the
claims are then drawn around what those notes support, so that many days are exactly right, one over or one
under."""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.drawing import CODE_CHANGES, DATES, PATIENTS, Drawer
from tests.drawing.claims import ClaimDrawer
from tests.drawing.notes import draw_note, draw_together
from tests.drawing.references import references
from tests.extract_files import write_extract, write_reference
from tests.profiles import SEED

__all__ = ["drawn_extracts", "extracts", "references", "write_extract", "write_reference"]


@st.composite
def extracts(draw):
    """(claims, notes, blocks, as_of, reference): one to three patients, dates and disciplines."""
    d = Drawer(draw)
    reference = draw(references())
    notes, blocks, places = [], [], []
    dates = d.pick(*CODE_CHANGES) if d.one_in(8) else DATES
    for patient_id in d.several(PATIENTS):
        for day in d.several(dates):
            if d.one_in(3):
                places += draw_together(d, notes, blocks, patient_id, day)
                continue
            for discipline in d.several(["PT", "OT", "SLP"]) if d.one_in(3) else ["PT"]:
                places.append((patient_id, day, discipline))
                for _ in range(d.pick(1, 1, 1, 1, 2, 2, 0)):
                    draw_note(d, notes, blocks, places[-1])
    as_of = DATES[-1] + timedelta(days=d.pick(8, 5, 4, 3, 0))
    claims = ClaimDrawer(d, notes, blocks, reference, as_of).draw_all(places)
    return claims, notes, blocks, as_of, reference


def drawn_extracts(count: int, round_number: int = 0) -> list[tuple]:
    """Many small extracts, the same ones on every run; another round draws others."""
    drawn = []

    @seed(SEED + round_number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(extracts())
    def collect(extract):
        drawn.append(extract)

    collect()
    return drawn
