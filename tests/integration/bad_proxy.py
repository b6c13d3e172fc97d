"""A TCP proxy that treats connections badly: it cuts them, delays them, or holds answers back."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Treatment = Literal["cut", "delay", "buffer"]
DELAY_SECONDS = 0.3
CUT_AFTER = 400
"""Bytes of an answer: within the first event of a stream."""


@dataclass
class BadProxy:
    """`treatments` are those of the next connections; later ones are left alone."""

    target: str
    treatments: list[Treatment] = field(default_factory=list)
    always: Treatment | None = None
    connections: int = 0

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve on a free port of the loopback address, and yield the URL."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_server(self._handle, "127.0.0.1", 0))
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            server.close()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(asyncio.sleep(0))  # transports close in the next round
            loop.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        treatment = self.treatments.pop(0) if self.treatments else self.always
        parts = urlsplit(self.target)
        upstream = await asyncio.open_connection(parts.hostname, parts.port)
        up = asyncio.create_task(self._copy(reader, upstream[1], None))
        try:
            with suppress(ConnectionError):
                await self._copy(upstream[0], writer, treatment)
        finally:
            up.cancel()
            for each in (writer, upstream[1]):
                each.close()

    @staticmethod
    async def _copy(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, treatment: Treatment | None
    ) -> None:
        held, sent = b"", 0
        while data := await reader.read(4096):
            if treatment == "cut":
                data = data[: CUT_AFTER - sent]
            if treatment == "delay":
                await asyncio.sleep(DELAY_SECONDS)
            if treatment == "buffer" and (held or b"text/event-stream" in data):
                held += data  # a stream: held until it ends
                continue
            writer.write(data)
            await writer.drain()
            sent += len(data)
            if treatment == "cut" and sent >= CUT_AFTER:
                return
        writer.write(held)
        await writer.drain()
