"""The outcome of a check."""

from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

BOTO_ERRORS = (BotoCoreError, ClientError, KeyError, ValueError)
"""What a call of AWS may raise. ValueError is for an endpoint that is not a URL; KeyError, for an emulator's
answer that lacks what AWS always sends."""


@dataclass(frozen=True)
class Finding:
    """One line. `stop`: the deployment would fail. `note`: it would work, but not as one may expect."""

    mark: Literal["ok", "note", "stop"]
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.mark:4}  {self.subject}: {self.text}"


def ok(subject: str, text: str) -> Finding:
    return Finding("ok", subject, text)


def note(subject: str, text: str) -> Finding:
    return Finding("note", subject, text)


def stop(subject: str, text: str) -> Finding:
    return Finding("stop", subject, text)


def reason(error: Exception) -> str:
    """Return an error's message without line breaks and without its final punctuation."""
    if isinstance(error, KeyError):
        return f"the answer has no {error}"
    return " ".join(str(error).split()).rstrip(".:")


def error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
