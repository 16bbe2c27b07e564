"""Published runs: their names, files and manifests; reading, choosing, verifying and deleting them."""
