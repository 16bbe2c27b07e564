"""The summary of a run: counts, and the text printed after an audit."""
