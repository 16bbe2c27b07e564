"""What Hypothesis draws extracts from: small pools of payers, codes, clinicians and dates."""

from datetime import date

from hypothesis import strategies as st

DATES = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)]
#: Dates on which a code's kind changes: the last day of one, the first of the next.
CODE_CHANGES = [
    [date(2017, 12, 31), date(2018, 1, 1)],
    [date(2019, 12, 31), date(2020, 1, 1)],
]
PATIENTS = ["P1", "P2", "P3"]
CLINICIANS = ["T1", "T2", "T3"]
MODIFIER = {"PT": "GP", "OT": "GO", "SLP": "GN"}
TIMED_POOL = {
    "PT": ["97110", "97112", "97140", "97110", "97112", "97116", "90912", "90913"],
    "OT": ["97530", "97535", "97110", "97129"],
    "SLP": ["97129", "97130", "97129", "97533"],
}
#: Codes that are timed between some dates only.
DATED_POOL = ["97129", "97532", "G0515", "97130"]
UNTIMED_POOL = {
    "PT": ["97014", "G0283", "97161", "97010", "97150"],
    "OT": ["97165", "97150", "97018"],
    "SLP": ["92507", "92526", "92507"],
}
POOL = sorted({code for pools in (TIMED_POOL, UNTIMED_POOL) for pool in pools.values() for code in pool})
LENGTHS = [15, 8, 7, 10, 20, 22, 23, 24, 30, 33, 38, 18, 13, 1, 52, 53]
#: Seconds that are written behind whole minutes: around a midpoint, a whole minute, a tie.
SECONDS = [30, 45, 59, 1, 15, 29, 31]
UNLISTED = ["97799", "97039"]
OUT_OF_SCOPE = ["99213", "97545", *UNLISTED]
DELIVERIES = [None, *["one_on_one"] * 8, "group", "supervised", "independent", "aide", "documentation"]


class Drawer:
    """Shorthand over Hypothesis's draw; every choice shrinks to its first option."""

    def __init__(self, draw):
        self._draw = draw

    def pick(self, *options):
        """One of the options."""
        return self._draw(st.sampled_from(options))

    def one_in(self, n):
        """True once in n."""
        return self._draw(st.integers(0, n - 1)) == n - 1

    def several(self, options):
        """A non-empty list of distinct options."""
        return self._draw(st.lists(st.sampled_from(options), min_size=1, unique=True))
