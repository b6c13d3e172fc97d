"""Checks that find, before a deployment, what would make it fail: `make preflight`."""
