"""Random years of nights in small: a generator of deliveries, a plain model of what they leave in force, and the
comparison of an incremental warehouse with a full rebuild.

`draw.py` draws the nights from a seed, `replay.py` says which rows are in force after each, `fresh.py` audits just
those rows, `incremental.py` is the warehouse that is tested, and `compare.py` holds one against the other.
"""
