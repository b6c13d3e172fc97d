"""What a new stream is sent first."""

from functions.sse_relay.cursor import parse
from functions.sse_relay.history import History
from functions.sse_relay.hub import Backlog, Hub

RESUME_READS = 25
"""What resuming from the table counts as, in jobs. Most streams share their read with others."""


def count_reads(hub: Hub, *, jobs: frozenset[str] | None, cursor: str) -> int:
    """Return how many jobs a stream makes the relay read. They count towards its address's limit."""
    if jobs is not None:
        return len(jobs)
    parsed = parse(cursor)
    return RESUME_READS if parsed and not hub.resume(parsed) else 0


async def read_backlog(
    hub: Hub, history: History, *, jobs: frozenset[str] | None, cursor: str, now: int
) -> Backlog | None:
    """Return the backlog of a stream of these jobs, or of all jobs from a cursor (`now` is epoch ms).

    Returns None if it is not known what the client misses: it must fetch the list again.
    """
    if jobs is not None:
        return await history.current(jobs)
    parsed = parse(cursor)
    start = None if parsed is None else parsed.start(now)
    if parsed is None or start is None:
        return None
    return hub.resume(parsed) or await history.since(start)
