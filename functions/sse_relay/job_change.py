"""A job's change as the relay sends it: encoded once, written to every stream that wants it.

The format is defined by the HTML standard: https://html.spec.whatwg.org/multipage/server-sent-events.html
The text is stored as a chunk of an HTTP/1.1 body, ready for nearly every client.
"""

import json
from dataclasses import dataclass

from functions.common.job import Job, to_json


@dataclass(frozen=True, slots=True)
class JobChange:
    """A job in one of its versions. `updated_at` (epoch ms) is the event's id, the cursor to resume from."""

    job_id: str
    version: int
    updated_at: int
    chunk: bytes

    @classmethod
    def from_job(cls, job: Job) -> "JobChange":
        """Return the change that brought the job into its current state."""
        return _encode(job.id, job.version, job.updated_at, to_json(job.public_view()))

    @classmethod
    def from_line(cls, line: bytes) -> "JobChange":
        """Parse the contract's JSON in one line. Raises KeyError, TypeError or ValueError."""
        job = json.loads(line)
        text = line.decode().strip()
        if "\r" in text:  # a browser would take it for the end of the line
            raise ValueError("a job's JSON must be one line")
        return _encode(str(job["id"]), int(job["version"]), int(job["updated_at"]), text)

    def to_line(self) -> bytes:
        """Return the job's JSON without a newline."""
        return unchunk(self.chunk).split(b"\ndata: ", 1)[1].rstrip(b"\n")


def to_chunk(text: str) -> bytes:
    """Encode text of a stream as one chunk of a chunked body."""
    body = text.encode()
    return b"%x\r\n%s\r\n" % (len(body), body)


def unchunk(chunk: bytes) -> bytes:
    """Return a chunk's content, for an HTTP/1.0 client, which does not accept chunks."""
    return chunk[chunk.index(b"\r\n") + 2 : -2]


def retry(milliseconds: int) -> bytes:
    """Encode how long the browser waits before it reconnects."""
    return to_chunk(f"retry: {milliseconds}\n\n")


def resync(now: int) -> bytes:
    """Encode the event that asks the client to fetch the list and to resume from `now` (epoch ms)."""
    return to_chunk(f'id: {now}\nevent: resync\ndata: {{"reason":"cursor"}}\n\n')


def _encode(job_id: str, version: int, updated_at: int, job_json: str) -> JobChange:
    return JobChange(job_id, version, updated_at, to_chunk(f"id: {updated_at}\ndata: {job_json}\n\n"))


HEARTBEAT = to_chunk(":\n\n")
"""A comment, which clients ignore. It keeps proxies from closing an idle stream."""
END = b"0\r\n\r\n"
"""The end of a chunked body."""
