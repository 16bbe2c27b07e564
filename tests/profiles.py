"""How much of a suite is drawn at random: MINUTEWISE_PROFILE is `test` (unless said otherwise), `ci` or `soak`.

Cases that somebody wrote are the same in all three. What is drawn is the same on every run
of a profile, so that a failure speaks of a change; MINUTEWISE_SEED draws other things.
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """What is drawn, in numbers."""

    #: Sequences of nights in a warehouse; the published state is compared with a fresh audit's on two nights of each.
    night_sequences: int
    #: Or on every night.
    compares_every_night: bool
    #: Of the named points at which a run can be stopped, every how many-th it is killed at, after a first one.
    kill_step: int
    #: Kills at random moments, of audits without a warehouse and of nights in one.
    audits_killed: int
    nights_killed: int
    #: Days billed as their notes say, none of which may be accused.
    honest_days: int
    #: Small extracts whose findings the oracle has to share: each audited by itself, and laid together in each round.
    extracts_alone: int
    extracts_together: int
    #: Small extracts whose findings are explained date by date and all at once.
    extracts_explained: int
    #: Small extracts on which the scripts of `minutewise sql` run, in each round and database.
    extracts_scripted: int
    #: Damaged deliveries, as a multiple of what each test draws.
    damage: int


PROFILES = {
    "test": Profile(10, False, 3, 4, 2, 500, 12, 150, 200, 60, 1),
    "ci": Profile(20, False, 1, 8, 5, 500, 30, 250, 200, 120, 1),
    "soak": Profile(1000, True, 1, 950, 250, 10_000, 100, 2000, 400, 120, 10),
}
PROFILE = PROFILES[os.environ.get("MINUTEWISE_PROFILE", "test")]
SEED = int(os.environ.get("MINUTEWISE_SEED", "0"))


def kill_points(points: tuple[str, ...]) -> tuple[str, ...]:
    """Of named points those that the profile kills a run at; the last one is always among them."""
    return (*points[: -1 : PROFILE.kill_step], points[-1])
