"""Every way in which the work on a job, or a caller's request, can go wrong.

Botocore and HTTP errors are mapped to these once, at the edge that meets them.
"""

from dataclasses import dataclass, field


class WorkError(Exception):
    """A job's work did not succeed. `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Permanent(WorkError):
    """Trying again cannot help."""


class Transient(WorkError):
    """Trying again may help."""


class RateLimited(Exception):
    """The third party's budget is spent until `retry_at` (epoch ms). Waiting, not a failure."""

    def __init__(self, retry_at: int) -> None:
        super().__init__(f"rate limited until {retry_at}")
        self.retry_at = retry_at


class Poison(Exception):
    """A message that no worker can read."""


@dataclass(frozen=True)
class FieldError:
    """One offending field of a request and what to send instead."""

    field: str
    message: str


@dataclass
class Problem(Exception):
    """A refused request, answered as RFC 9457 problem+json. `headers` join the answer's."""

    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def invalid(name: str, message: str) -> Problem:
    """A 400 that names one field."""
    return Problem(400, f"{name}: {message}", (FieldError(name, message),))
