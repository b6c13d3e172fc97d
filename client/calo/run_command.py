"""`calo run`, `calo watch`, `calo show`, `calo cancel` and `calo retry`."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from calo.change import Change
from calo.client import AsyncCalo, AsyncJob, Calo
from calo.errors import CommandError
from calo.fields import parse_delay, parse_fields, schema_of
from calo.terminal import errors, print_change, print_json, print_output, progress_of

ENDED_OTHERWISE = 1


def run(calo: Calo, options: argparse.Namespace) -> int:
    """Create a job, show its progress, and print its output."""

    async def main() -> int:
        async with calo as client:
            job = await client.submit(
                options.kind,
                await _input(client, options),
                delay_seconds=parse_delay(options.delay),
                notify=options.notify,
                key=options.key,
            )
            if options.detach:
                print_json(job.latest.data) if options.json else print(job.id)
                return 0
            return await _show(job, options)

    return asyncio.run(main())


async def _input(client: AsyncCalo, options: argparse.Namespace) -> dict[str, Any]:
    given = _read_input(options.input) if options.input else {}
    if not options.field:
        return given
    return {**given, **parse_fields(options.field, schema_of(options.kind, await client.kinds()))}


def _read_input(text: str) -> dict[str, Any]:
    """Return an object: JSON, or `@` and the name of a file with it. Raises CommandError."""
    try:
        value = json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise CommandError(f"--input must be JSON, or @ and the name of a file: {error}") from None
    if not isinstance(value, dict):
        raise CommandError("--input must be a JSON object")
    return value


async def _show(job: AsyncJob, options: argparse.Namespace) -> int:
    """Follow a job until it has ended."""
    console = errors()
    with progress_of(console, f"{job.latest.kind} {job.id}") as show:
        async for change in job:
            show(change)
    return print_end(job.latest, as_json=options.json)


def print_end(job: Change, *, as_json: bool) -> int:
    """Print how a job ended. Return the exit status."""
    if as_json:
        print_json(job.data)
    elif job.status == "resolved":
        print_output(job.output)
    elif (console := errors()).is_terminal:  # otherwise it is the last line of the progress
        print_change(console, job)
    return 0 if job.status == "resolved" else ENDED_OTHERWISE


def watch(calo: Calo, options: argparse.Namespace) -> int:
    """Print each change of some jobs until they have ended, or of all jobs forever."""
    console = errors()

    def show(change: Change) -> None:
        print_json(change.data) if options.json else print_change(console, change)

    async def follow(job: AsyncJob) -> bool:
        async for change in job:
            show(change)
        return job.latest.status == "resolved"

    async def main() -> int:
        async with calo as client:
            if not options.job:
                async for change in client.changes():
                    show(change)
            jobs = await asyncio.gather(*map(client.job, options.job))
            outcomes = await asyncio.gather(*map(follow, jobs))
        return 0 if all(outcomes) else ENDED_OTHERWISE

    return asyncio.run(main())


def show(calo: Calo, options: argparse.Namespace) -> int:
    """Print a job as JSON."""
    with calo as client:
        job = client.job(options.job).latest
    print_json(job.data) if options.json else print_output(job.data)
    return 0


def cancel(calo: Calo, options: argparse.Namespace) -> int:
    return _change(calo, options, "cancel")


def retry(calo: Calo, options: argparse.Namespace) -> int:
    return _change(calo, options, "retry")


def _change(calo: Calo, options: argparse.Namespace, method: str) -> int:
    with calo as client:
        for job_id in options.job:
            job: Change = getattr(client, method)(job_id)
            print_json(job.data) if options.json else print_change(errors(), job)
    return 0
