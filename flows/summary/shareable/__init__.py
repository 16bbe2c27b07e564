"""The summary that may be shared: no counts small enough to point to a patient."""
