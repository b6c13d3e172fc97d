"""What a check says."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line. `stop`: the deployment would fail. `note`: it would work, but not as one may expect."""

    mark: Literal["ok", "note", "stop"]
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.mark:4}  {self.subject}: {self.text}"


def one_line(error: Exception) -> str:
    """Return an error's message, without line breaks and without its final stop."""
    return " ".join(str(error).split()).rstrip(".")


def ok(subject: str, text: str) -> Finding:
    return Finding("ok", subject, text)


def note(subject: str, text: str) -> Finding:
    return Finding("note", subject, text)


def stop(subject: str, text: str) -> Finding:
    return Finding("stop", subject, text)
