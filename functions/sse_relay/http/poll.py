"""One selector for all connections, itself watched by the event loop.

A connection costs an entry here and an object with a few slots: no transport, no protocol, no task.
"""

import asyncio
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

OnReady = Callable[[bool], object]
"""Called when a descriptor has data to read, or, with `True`, when it can be written to again.

A call may be stale: a descriptor that was closed earlier in the same round may already be another's.
"""


class Poll:
    """Calls the `OnReady` callback of each registered descriptor. Uses epoll on Linux."""

    def __init__(self) -> None:
        # asyncio itself uses the selectors that have a descriptor of their own, so this one can be watched
        self._selector = DefaultSelector()
        self._descriptor: int = self._selector.fileno()

    def start(self) -> None:
        """Add the selector to the running event loop."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._dispatch)

    def stop(self) -> None:
        """Remove the selector from the running event loop and close it."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self.close()

    def close(self) -> None:
        self._selector.close()

    def watch(self, descriptor: int, on_ready: OnReady) -> None:
        """Call `on_ready` when there is data to read; replaces an earlier callback."""
        if descriptor in self._selector.get_map():
            self._selector.modify(descriptor, EVENT_READ, on_ready)
        else:
            self._selector.register(descriptor, EVENT_READ, on_ready)

    def watch_writable(self, descriptor: int, enabled: bool) -> None:
        """Start or stop calling `on_ready(True)` when the descriptor can be written to."""
        on_ready = self._selector.get_key(descriptor).data
        self._selector.modify(descriptor, EVENT_READ | EVENT_WRITE if enabled else EVENT_READ, on_ready)

    def unwatch(self, descriptor: int) -> None:
        """Remove the descriptor. Must be called before it is closed."""
        self._selector.unregister(descriptor)

    def _dispatch(self) -> None:
        for key, events in self._selector.select(0):
            key.data(bool(events & EVENT_WRITE))
