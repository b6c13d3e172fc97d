"""A job's change as the relay sends it: encoded once, written to every stream that wants it.

The format is defined by the HTML standard: https://html.spec.whatwg.org/multipage/server-sent-events.html
The text is stored as a chunk of an HTTP/1.1 body, ready for nearly every client.
"""

import json
from dataclasses import dataclass
from typing import Any, TypedDict

from functions.common.decode import conforms
from functions.common.errors import Damaged
from functions.common.job import PUBLIC_OWNER, Job


class _LineFields(TypedDict):
    id: str
    version: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class JobChange:
    """A job in one of its versions, and the event that shows it. `updated_at` is epoch ms."""

    owner: str
    job_id: str
    version: int
    updated_at: int
    chunk: bytes

    @classmethod
    def from_job(cls, job: Job) -> "JobChange":
        """Return the change that brought the job into its current state."""
        return _encode(job.owner, job.id, job.version, job.updated_at, to_ascii_json(job.public_view()))

    @classmethod
    def from_line(cls, line: bytes) -> "JobChange":
        """Parse the contract's JSON in one line. Raises Damaged.

        It may also have the job's `owner`, which is not shown.
        """
        try:
            job = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Damaged(f"not JSON: {error}") from error
        if not conforms(job, _LineFields):
            raise Damaged("id, version or updated_at is missing, of another type or too large")
        owner = job.pop("owner") if "owner" in job else PUBLIC_OWNER
        if owner is not PUBLIC_OWNER and not conforms(owner, str):
            raise Damaged("owner is not a text")
        return _encode(owner, job["id"], job["version"], job["updated_at"], to_ascii_json(job))

    def with_id(self, event_id: str) -> "JobChange":
        """Return the change as an event with another id: see cursor.py."""
        chunk = to_chunk(f"id: {event_id}\ndata: ".encode() + self.to_line() + b"\n\n")
        return JobChange(self.owner, self.job_id, self.version, self.updated_at, chunk)

    def to_line(self) -> bytes:
        """Return the job's JSON without a newline."""
        return bytes(unchunk(self.chunk)).split(b"\ndata: ", 1)[1].rstrip(b"\n")


def to_ascii_json(value: Any) -> str:
    """Return compact JSON on one line in ASCII.

    Some readers split events at Unicode's line separators, or at bytes of an incomplete character.
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def to_chunk(body: bytes) -> bytes:
    """Encode a part of a stream as one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(body), body)


def unchunk(chunk: bytes) -> memoryview:
    """Return a view of a chunk's content, for an HTTP/1.0 client, which does not accept chunks."""
    return memoryview(chunk)[chunk.index(b"\r\n") + 2 : -2]


def retry(milliseconds: int) -> bytes:
    """Encode how long the browser waits before it reconnects.

    Without an empty line it belongs to the next event: an event without data would surprise some readers.
    """
    return to_chunk(b"retry: %d\n" % milliseconds)


def resync(now: int) -> bytes:
    """Encode the event that asks the client to fetch the list and to resume from `now` (epoch ms)."""
    return to_chunk(b'id: %d\nevent: resync\ndata: {"reason":"cursor"}\n\n' % now)


def _encode(owner: str, job_id: str, version: int, updated_at: int, job_json: str) -> JobChange:
    chunk = to_chunk(f"id: {updated_at}\ndata: {job_json}\n\n".encode())
    return JobChange(owner, job_id, version, updated_at, chunk)


HEARTBEAT = to_chunk(b":\n")
"""A comment, which clients ignore. It keeps proxies from closing an idle stream."""
EXPIRED = to_chunk(b": the token has expired\n")
"""The comment before the end of a stream whose token has expired."""
END = b"0\r\n\r\n"
"""The end of a chunked body."""
