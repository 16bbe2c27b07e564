"""The first and last dates that the audit knows."""

from datetime import date

#: No service date lies before it: what an extract dates earlier is set aside.
FIRST_DAY = date(1990, 1, 1)
#: No date that a person gives lies after it.
LAST_DAY = date(2999, 12, 31)
#: As a last service date, where none is asked for.
NO_LAST_DAY = date(9998, 12, 31)
#: The end of a period without one.
OPEN_END = date(9999, 12, 31)
