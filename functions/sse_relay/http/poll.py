"""One selector for all connections, itself watched by the event loop.

A connection costs an entry here and an object with a few slots: no transport, no protocol, no task.
"""

import asyncio
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Protocol


class Watched(Protocol):
    """The owner of a descriptor: a connection or the listener."""

    def on_ready(self, writable: bool) -> None:
        """Handle data to read or, if `writable`, that the descriptor can be written to again.

        The call may be stale: a descriptor that was closed earlier in the same round may be reused already.
        """


class Poll:
    """Calls the owner of each watched descriptor. Uses epoll on Linux."""

    def __init__(self) -> None:
        # a selector with a file descriptor, as asyncio uses: the event loop can watch it
        self._selector = DefaultSelector()
        self._descriptor: int = self._selector.fileno()
        self._watched: dict[int, tuple[Watched, int]] = {}
        """Owners and what they wait for, by descriptor. The selector takes longer to change an owner."""

    def start(self) -> None:
        """Add the selector to the running event loop."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._dispatch)

    def stop(self) -> None:
        """Remove the selector from the running event loop and close it."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self.close()

    def close(self) -> None:
        self._selector.close()

    def watch(self, descriptor: int, owner: Watched, *, read: bool = True, write: bool = False) -> None:
        """Call the owner when there is data to read, or when the descriptor can be written to.

        Replaces an earlier owner and what it was called for.
        """
        events = EVENT_READ * read | EVENT_WRITE * write
        watched = self._watched.get(descriptor)
        if not events:
            self.unwatch(descriptor)
            return
        self._watched[descriptor] = (owner, events)
        if watched is None:
            self._selector.register(descriptor, events)
        elif watched[1] != events:
            self._selector.modify(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        """Remove the descriptor. Must be called before it is closed."""
        if self._watched.pop(descriptor, None):
            self._selector.unregister(descriptor)

    def _dispatch(self) -> None:
        for key, events in self._selector.select(0):
            if watched := self._watched.get(key.fd):
                owner, _ = watched
                owner.on_ready(bool(events & EVENT_WRITE))
