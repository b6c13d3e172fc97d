"""The names of kinds, budgets and secrets."""

import re

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def is_name(value: object) -> bool:
    """Return whether a value is a valid name."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""The form of the code of an error."""
