"""Which jobs a list, or a call that changes several jobs, is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.common.errors import invalid
from functions.common.job import STATUSES, Job, Status
from functions.common.names import CODE, is_name

MAX_TEXT = 200
"""Characters of a text to look for."""


@dataclass(frozen=True)
class JobFilter:
    """Jobs of a status, a kind and an error code, created from `since` and before `until` (epoch ms), with
    `text` in a text of their input, in capital or small letters.

    What is None does not matter.
    """

    status: Status | None = None
    kind: str | None = None
    code: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None

    def matches(self, job: Job) -> bool:
        """Return whether a job matches. Its time of creation never changes: the index has checked it."""
        code = job.error["code"] if job.error else None
        return (
            self.status in (None, job.status)
            and self.kind in (None, job.kind)
            and self.code in (None, code)
            and (self.text is None or self._is_in(job.input))
        )

    def _is_in(self, values: Mapping[str, Any]) -> bool:
        wanted = (self.text or "").lower()
        return any(wanted in value.lower() for value in values.values() if isinstance(value, str))

    def matches_entry(self, entry: Mapping[str, Any]) -> bool:
        """Return whether an entry of the by-all index matches."""
        return (
            self.status in (None, entry.get("status"))
            and self.kind in (None, entry.get("kind"))
            and self.code in (None, entry.get("code"))
            and entry["created_key"] >= self.oldest_key
        )

    @property
    def oldest_key(self) -> str:
        """A created_key that is not after the oldest job."""
        return f"{self.since or 0:013d}#"

    def before(self, key: str) -> str:
        """Return the created_key before which to look, given one before which a reader wants to look."""
        return key if self.until is None else min(key, f"{self.until:013d}#")


def parse_text(text: object) -> str | None:
    """Check a text to look for. Raises Problem 400."""
    if text is None or (isinstance(text, str) and text.strip() and len(text) <= MAX_TEXT):
        return text
    raise invalid("text", f"must have 1 to {MAX_TEXT} characters that are not only spaces")


def parse_status(text: object) -> Status | None:
    """Check a status. Raises Problem 400."""
    for status in STATUSES:
        if status == text:
            return status
    if text is not None:
        raise invalid("status", f"must be one of {', '.join(STATUSES)}")
    return None


def parse_kind(text: object) -> str | None:
    """Check the name of a kind. It may not exist any more: its jobs do. Raises Problem 400."""
    if text is None or (isinstance(text, str) and is_name(text)):
        return text
    raise invalid("kind", "must be the name of a kind, as in GET /kinds")


def parse_code(text: object) -> str | None:
    """Check an error code. Raises Problem 400."""
    if text is None or (isinstance(text, str) and CODE.fullmatch(text)):
        return text
    raise invalid("code", "must be the code of an error, as in GET /stats")
