"""The kernel's list of all connections: one selector, itself watched by the event loop.

A connection costs an entry here and an object of a few slots; no transport, no protocol, no task.
"""

import asyncio
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Protocol


class Watched(Protocol):
    """What the poll tells when its descriptor has something to read or may be written again.

    It may be told once too often: a descriptor that was closed in the same round may be another's by now.
    """

    def on_ready(self, *, writable: bool) -> None: ...


class Poll:
    """Descriptors and who is behind them: in Linux one epoll, elsewhere what is there in its place."""

    def __init__(self) -> None:
        # the selectors that have a descriptor, and so can be watched, are all that asyncio itself uses
        self._selector = DefaultSelector()
        self._descriptor: int = self._selector.fileno()

    def start(self) -> None:
        """Have the running event loop look after the descriptors."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._look)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self.close()

    def close(self) -> None:
        self._selector.close()

    def watch(self, descriptor: int, watched: Watched) -> None:
        """Tell `watched` of the descriptor from now on, in place of who was told before."""
        if descriptor in self._selector.get_map():
            self._selector.modify(descriptor, EVENT_READ, watched)
        else:
            self._selector.register(descriptor, EVENT_READ, watched)

    def want_write(self, descriptor: int, wanted: bool) -> None:
        """Tell also when it may be written again, or no longer so."""
        watched = self._selector.get_key(descriptor).data
        self._selector.modify(descriptor, EVENT_READ | EVENT_WRITE if wanted else EVENT_READ, watched)

    def forget(self, descriptor: int) -> None:
        """Before the descriptor is closed."""
        self._selector.unregister(descriptor)

    def _look(self) -> None:
        for key, events in self._selector.select(0):
            key.data.on_ready(writable=bool(events & EVENT_WRITE))
