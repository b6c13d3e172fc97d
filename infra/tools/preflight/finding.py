"""The result of a check."""

from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

BOTO_ERRORS = (BotoCoreError, ClientError, KeyError, ValueError)
"""The exceptions of AWS calls. An endpoint that is not a URL raises ValueError. KeyError is raised if the
response of an emulator lacks a field that AWS always sends."""


@dataclass(frozen=True)
class Finding:
    """A finding, which is printed as one line.

    `stop` means that the deployment would fail, `note` that it may not work as expected.
    """

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
        return f"the response has no field {error}"
    return " ".join(str(error).split()).rstrip(".:")


def error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
