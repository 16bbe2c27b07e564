"""The evidence packet of a finding as HTML and PDF."""
