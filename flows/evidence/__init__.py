"""The evidence packet of a finding, put together from its derivation."""
