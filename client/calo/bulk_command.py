"""`calo bulk`: create the jobs of a file. Running it again continues where it stopped."""

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calo.client import AsyncCalo, Calo
from calo.errors import CommandError, Unreachable
from calo.terminal import errors, print_json, progress_bar

BATCH = 100
"""Entries of one call."""
MAX_BYTES = 900_000
"""Of one call: the API accepts 1 MB."""
TRIES = 5


@dataclass(frozen=True)
class Entry:
    """A line of the file: its number, and the body with its key."""

    line: int
    body: dict[str, Any]
    size: int


def bulk(calo: Calo, options: argparse.Namespace) -> int:
    """Create the jobs, and print why some were refused. Return 1 if one was."""
    entries = _read(options.file, options.name)
    console = errors()
    refused = 0

    async def main() -> None:
        nonlocal refused
        async with calo as client:
            with progress_bar(console, "creating jobs", len(entries)) as advance:
                for batch in _batches(entries):
                    for entry, result in await _create(client, batch):
                        if is_problem(result):
                            refused += 1
                            console.print(f"line {entry.line}: {_reason(result)}", markup=False)
                        elif options.json:
                            print_json(result)
                    advance(len(batch))

    asyncio.run(main())
    console.print(f"{len(entries) - refused} jobs, {refused} refused")
    return int(refused > 0)


async def _create(client: AsyncCalo, batch: list[Entry]) -> list[tuple[Entry, dict[str, Any]]]:
    """Create a batch. Entries that the API could not queue are sent again, under their keys."""
    results: dict[int, dict[str, Any]] = {}
    waiting = batch
    for attempt in range(TRIES):
        body = {"jobs": [entry.body for entry in waiting]}
        answer = await client.connection.call("POST", "/jobs/bulk", body=body)
        results |= {entry.line: result for entry, result in zip(waiting, answer["results"], strict=True)}
        waiting = [entry for entry in waiting if is_problem(results[entry.line], at_least=429)]
        if not waiting:
            return [(entry, results[entry.line]) for entry in batch]
        await asyncio.sleep(2**attempt)
    raise Unreachable("the API cannot queue jobs now; run the command again to continue")


def is_problem(result: dict[str, Any], at_least: int = 400) -> bool:
    """Return whether a result is a problem, not a job. A job's status is a text."""
    status = result.get("status")
    return isinstance(status, int) and status >= at_least


def _reason(problem: dict[str, Any]) -> str:
    fields = [f"{error['field']}: {error['message']}" for error in problem.get("errors", ())]
    return "; ".join(fields) or str(problem.get("detail"))


def _read(name: str, run: str) -> list[Entry]:
    """Read the entries of a file, or of standard input (`-`). Raises CommandError.

    The key of an entry without one is made of `run`, the line's number and its content: the same file creates
    its jobs once.
    """
    try:
        lines = (sys.stdin.read() if name == "-" else Path(name).read_text()).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from None
    entries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
        except ValueError as error:
            raise CommandError(f"line {number}: must be JSON: {error}; nothing was sent") from None
        if not isinstance(body, dict):
            raise CommandError(f'line {number}: must be an object like {{"kind": "photo"}}; nothing was sent')
        digest = hashlib.sha256(f"{run}\n{number}\n{line}".encode()).hexdigest()[:32]
        entries.append(Entry(number, {"key": f"bulk-{digest}", **body}, len(line.encode())))
    return entries


def _batches(entries: list[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == BATCH or size + entry.size > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size + BATCH
    if batch:
        yield batch
