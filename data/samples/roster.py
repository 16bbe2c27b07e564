"""Who the made-up clinic is: people, plans, prices, and what a visit is made of. All of it invented."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from counting import TIMED_CODES

MEDICARE, PPO, CAP4 = "MEDICARE", "DEMO-PPO", "DEMO-CAP4"
METHODS = {MEDICARE: "cms_8_minute", PPO: "ama_midpoint", CAP4: "cms_8_minute"}
DAY_CAPS = {CAP4: 4}
BILLING_PROVIDER = "BP-01"
THERAPISTS = {"PT": "PT-01", "OT": "OT-03", "SLP": "SLP-04"}
ASSISTANT = "PTA-02"
DISCIPLINE_OF = {"PT-01": "PT", "PTA-02": "PT", "OT-03": "OT", "SLP-04": "SLP"}
CLINIC_OF = {"PT-01": "CL-A", "PTA-02": "CL-A", "OT-03": "CL-B", "SLP-04": "CL-B"}
MODIFIER_OF = {"PT": "GP", "OT": "GO", "SLP": "GN"}
OPENING_MINUTE = 8 * 60
PATIENT_COUNTS = [  # discipline, payer, patients: 40 in all
    ("PT", MEDICARE, 13), ("PT", PPO, 7), ("PT", CAP4, 6),
    ("OT", MEDICARE, 4), ("OT", PPO, 2), ("OT", CAP4, 2),
    ("SLP", MEDICARE, 3), ("SLP", PPO, 2), ("SLP", CAP4, 1),
]  # fmt: skip
# Invented prices, in dollars a unit: what is charged; 60% of it is allowed, 80% of that is paid.
CHARGE_USD = {"97161": 180, "97165": 180, "92507": 140, "92526": 150, "97150": 40, "97010": 10, "97014": 30,
              "G0283": 30, "97129": 55, "97130": 50, "97035": 30, "29530": 60, "97545": 260, "99213": 120,
              "73030": 90}  # fmt: skip
NARRATIVES = {
    "PT": ["Strength and balance practice, steady gains.", "Gait work with cues; safe on stairs.",
           "Shoulder mobility improving; home program reviewed.", "Tolerated all work well."],
    "OT": ["Kitchen tasks practised with adapted tools.", "Grip work and dressing practice.",
           "Energy saving taught; good recall."],
    "SLP": ["Word finding practice with written cues.",
            "Memory strategies rehearsed.", "Clear speech drills."],
}  # fmt: skip
DIAGNOSES = {"PT": ["M25.561", "M54.50", "R26.89"], "OT": ["M25.641", "G81.91"], "SLP": ["R47.01", "R41.841"]}


@dataclass
class Block:
    """One intervention. `at` is (from, to) in minutes after the visit's start; None follows the block
    before it, False leaves the clock times out. `minutes` None leaves the stated minutes out."""

    code: str
    minutes: float | None = None
    at: Any = None
    delivery: str = ""
    provider: str = ""
    description: str = ""
    seconds: tuple[int, int] | None = None

    @property
    def is_counted(self) -> bool:
        return self.code in TIMED_CODES and self.delivery in ("", "one_on_one") and self.minutes != 0

    @property
    def written(self) -> float:
        clock = self.at[1] - self.at[0] if self.at else 0
        return self.minutes if self.minutes is not None else clock


@dataclass
class Visit:
    """What a case needs to name a visit: its therapy day, and the ids of its note and claim."""

    patient: str
    payer: str
    day: date
    discipline: str
    provider: str
    note: str = ""
    claim: str = ""
