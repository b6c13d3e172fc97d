"""The kernel's list of all connections: one epoll, itself watched by the event loop.

A connection costs an entry here and an object of a few slots; no transport, no protocol, no task.
"""

import asyncio
import select
from typing import Protocol

READ = select.EPOLLIN
READ_AND_WRITE = select.EPOLLIN | select.EPOLLOUT
AT_ONCE = 512


class Watched(Protocol):
    """What the poll tells when its descriptor has something to read or may be written again.

    It may be told once too often: a descriptor that was closed in the same round may be another's by now.
    """

    def on_ready(self, *, writable: bool) -> None: ...


class Poll:
    """Descriptors and who is behind them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}

    def start(self) -> None:
        """Have the running event loop look after the descriptors."""
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._look)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def watch(self, descriptor: int, watched: Watched) -> None:
        """Tell `watched` of the descriptor from now on, in place of who was told before."""
        if descriptor not in self._watched:
            self._epoll.register(descriptor, READ)
        self._watched[descriptor] = watched

    def want_write(self, descriptor: int, wanted: bool) -> None:
        """Tell also when it may be written again, or no longer so."""
        self._epoll.modify(descriptor, READ_AND_WRITE if wanted else READ)

    def forget(self, descriptor: int) -> None:
        """Before the descriptor is closed."""
        del self._watched[descriptor]
        self._epoll.unregister(descriptor)

    def _look(self) -> None:
        for descriptor, mask in self._epoll.poll(0, AT_ONCE):
            watched = self._watched.get(descriptor)
            if watched is not None:
                watched.on_ready(writable=bool(mask & select.EPOLLOUT))
