"""What a new stream is sent first."""

from functions.sse_relay.cursor import parse
from functions.sse_relay.history import History
from functions.sse_relay.hub import Backlog, Hub
from functions.sse_relay.subscription import Subscription

RESUME_READS = 25
"""What resuming from the table counts as, in jobs. Most streams share their read with others."""


def count_reads(hub: Hub, wanted: Subscription) -> int:
    """Return how many jobs a stream makes the relay read. They count towards its address's limit."""
    if wanted.jobs is not None:
        return len(wanted.jobs)
    parsed = parse(wanted.cursor)
    reads_table = parsed and wanted.owner is not None and not hub.resume(parsed, wanted.owner)
    return RESUME_READS if reads_table else 0


async def read_backlog(hub: Hub, history: History, wanted: Subscription, now: int) -> Backlog | None:
    """Return the backlog of a stream of some jobs, or of all jobs from a cursor (`now` is epoch ms).

    Returns None if it is not known what the client misses: it must fetch the list again. No index has the
    changes of all owners.
    """
    if wanted.jobs is not None:
        return await history.current(wanted.jobs)
    parsed = parse(wanted.cursor)
    start = None if parsed is None else parsed.start(now)
    if parsed is None or start is None:
        return None
    resumed = hub.resume(parsed, wanted.owner)
    if resumed or wanted.owner is None:
        return resumed
    return await history.since(wanted.owner, start)
