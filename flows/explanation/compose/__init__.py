"""The parts of an explanation, made once for terminal, page and packets; no number is computed here."""
