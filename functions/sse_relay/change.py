"""A job's change as it goes out: encoded once, written to every stream that wants it.

The format is the HTML standard's: https://html.spec.whatwg.org/multipage/server-sent-events.html
What is written is kept as a chunk of an HTTP/1.1 body, ready for nearly every client.
"""

import json
from dataclasses import dataclass

from functions.common.job import Job, to_json


@dataclass(frozen=True, slots=True)
class Change:
    """A job in one of its versions. `updated_at` (epoch ms) is the event's id: the cursor to resume from."""

    job_id: str
    version: int
    updated_at: int
    chunk: bytes


def to_chunk(text: str) -> bytes:
    """Text of a stream, as one chunk of a chunked body."""
    body = text.encode()
    return b"%x\r\n%s\r\n" % (len(body), body)


def plain(chunk: bytes) -> bytes:
    """What is in a chunk, for a client of HTTP/1.0, which knows no chunks."""
    return chunk[chunk.index(b"\r\n") + 2 : -2]


def change_of(job: Job) -> Change:
    """The change that brought a job into its present state."""
    return _change(job.id, job.version, job.updated_at, to_json(job.public_view()))


def change_of_line(line: bytes) -> Change:
    """The same from the contract's JSON in one line. Raises KeyError, TypeError, ValueError."""
    shown = json.loads(line)
    text = line.decode().strip()
    if "\r" in text:  # it would end the line for a browser
        raise ValueError("a job's JSON must be one line")
    return _change(str(shown["id"]), int(shown["version"]), int(shown["updated_at"]), text)


def line_of(change: Change) -> bytes:
    """The job's JSON, without a line's end."""
    return plain(change.chunk).split(b"\ndata: ", 1)[1].rstrip(b"\n")


def _change(job_id: str, version: int, updated_at: int, shown: str) -> Change:
    return Change(job_id, version, updated_at, to_chunk(f"id: {updated_at}\ndata: {shown}\n\n"))


def retry(milliseconds: int) -> bytes:
    """How long the browser waits before it connects again."""
    return to_chunk(f"retry: {milliseconds}\n\n")


def resync(now: int) -> bytes:
    """The stream cannot say what was missed: fetch the list again, and resume from now (epoch ms)."""
    return to_chunk(f'id: {now}\nevent: resync\ndata: {{"reason":"cursor"}}\n\n')


HEARTBEAT = to_chunk(":\n\n")
"""A comment, which no client shows, so that nobody on the way takes the stream for dead."""
END = b"0\r\n\r\n"
"""The end of a chunked body."""
