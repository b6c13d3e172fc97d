"""The history of a relay without a table."""

from functions.sse_relay.history.memory import MemoryHistory
from functions.sse_relay.hub import Hub
from tests.relay.conftest import NOW, change, job_id, run


def test_the_newest_state_of_each_job_is_kept() -> None:
    memory = MemoryHistory(Hub(lambda: 0.0, "relay"), clock=lambda: 0)
    memory.remember([change(1, 1), change(2, 1), change(1, 2)])

    async def test() -> None:
        current = await memory.current([job_id(1), job_id(9)])
        assert [(change.job_id, change.version) for change in current.changes] == [(job_id(1), 2)]
        backlog = await memory.since("public", NOW)
        assert backlog is not None
        assert len(backlog.changes) == 2

    run(test())


def test_changes_before_the_start_are_not_known() -> None:
    memory = MemoryHistory(Hub(lambda: 0.0, "relay"), clock=lambda: NOW)
    assert run(memory.since("public", NOW)) is None
    assert run(memory.since("public", NOW + 1)) is not None


def test_dropped_jobs_make_older_cursors_unknown() -> None:
    memory = MemoryHistory(Hub(lambda: 0.0, "relay"), max_jobs=1, clock=lambda: 0)
    memory.remember([change(1, updated_at=NOW), change(2, updated_at=NOW + 1)])
    assert run(memory.since("public", NOW)) is None
    backlog = run(memory.since("public", NOW + 1))
    assert backlog is not None
    assert backlog.changes == [change(2, updated_at=NOW + 1)]


def test_the_jobs_kept_are_limited_by_bytes_too() -> None:
    changes = [change(number, updated_at=NOW + number, text="x" * 1000) for number in range(4)]
    limit = 2 * len(changes[0].chunk)
    memory = MemoryHistory(Hub(lambda: 0.0, "relay"), max_bytes=limit, clock=lambda: 0)
    memory.remember([*changes, changes[3]])
    assert run(memory.since("public", NOW + 1)) is None
    backlog = run(memory.since("public", NOW + 2))
    assert backlog is not None
    assert backlog.changes == changes[2:]
