"""What the kernel keeps for a client after its stream has ended."""

import asyncio
from itertools import count
from pathlib import Path

import pytest

from functions.sse_relay.http import connection
from tests.relay.conftest import change, run, running, until
from tests.relay.test_bounds import slow_client

SOCKETS = Path("/proc/net/tcp")


@pytest.mark.skipif(not SOCKETS.exists(), reason="/proc/net/tcp exists only on Linux")
def test_a_client_that_does_not_read_the_end_of_its_stream_leaves_nothing_in_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "LINGER_MS", 200)

    async def test() -> None:
        async with running() as relay:
            stuck = slow_client(relay)
            await relay.streams(1)
            (stream,) = relay.relay.streams
            numbers = count()
            while unsent_bytes(relay.port) < 20_000:  # the client's buffer may still take 8 KB of them
                relay.publish(change(next(numbers), text="x" * 1000))
                await asyncio.sleep(0)
            assert not stream.is_pending
            stream.end()
            assert unsent_bytes(relay.port) >= 10_000
            await until(lambda: unsent_bytes(relay.port) == 0)
            stuck.close()

    run(test())


def unsent_bytes(port: int) -> int:
    """Return how many bytes the kernel holds for the clients of a port."""
    lines = [line.split() for line in SOCKETS.read_text().splitlines()[1:]]
    return sum(int(line[4].split(":")[0], 16) for line in lines if line[1].endswith(f":{port:04X}"))
