"""Fixtures of the unit tests that kinds need, too."""

from tests.unit.conftest import environment, serve

__all__ = ["environment", "serve"]
