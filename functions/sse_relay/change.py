"""A job's change as it goes out: encoded once, written to every stream that wants it.

The format is the HTML standard's: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from dataclasses import dataclass
from typing import Any

from functions.common.job import Job, to_json


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes of a stream, plain and as one chunk of an HTTP/1.1 chunked body."""

    plain: bytes
    chunk: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """A job in one of its versions. `updated_at` (epoch ms) is the event's id: the cursor to resume from."""

    job_id: str
    version: int
    updated_at: int
    frame: Frame


def frame(text: str) -> Frame:
    """Text of a stream, ready to write."""
    plain = text.encode()
    return Frame(plain, b"%x\r\n%s\r\n" % (len(plain), plain))


def change_of(job: Job) -> Change:
    """The change that brought a job into its present state."""
    return change_of_shown(job.shown())


def change_of_shown(shown: dict[str, Any]) -> Change:
    """The same from the contract's JSON. Raises KeyError, TypeError or ValueError if it is no job's."""
    job_id, version, updated_at = str(shown["id"]), int(shown["version"]), int(shown["updated_at"])
    return Change(job_id, version, updated_at, frame(f"id: {updated_at}\ndata: {to_json(shown)}\n\n"))


def retry(milliseconds: int) -> Frame:
    """How long the browser waits before it connects again."""
    return frame(f"retry: {milliseconds}\n\n")


def resync(now: int) -> Frame:
    """The stream cannot say what was missed: fetch the list again, and resume from now (epoch ms)."""
    return frame(f'id: {now}\nevent: resync\ndata: {{"reason":"cursor"}}\n\n')


HEARTBEAT = frame(":\n\n")
"""A comment, which no client shows, so that nobody on the way takes the stream for dead."""
END = b"0\r\n\r\n"
"""The end of a chunked body."""
