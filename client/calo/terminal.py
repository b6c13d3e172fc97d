"""What people see: progress on standard error, results on standard output."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from calo.change import Change

MARKS = {"pending": "…", "resolved": "✓", "error": "✗", "cancelled": "–"}
STYLES = {"pending": "yellow", "resolved": "green", "error": "red", "cancelled": "dim"}


def errors() -> Console:
    """Return the console foreverything that is not a result."""
    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a result for programs: JSON on one line."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")), flush=True)


def print_output(value: Any) -> None:
    """Print a result for people."""
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)


def describe(change: Change) -> str:
    """Return the state of a job in a few words."""
    if change.status == "error" and change.error:
        return f"failed: {change.error['code']}: {change.error['message']}"
    if change.has_ended:
        return change.status
    if change.progress:
        fraction, message = change.progress["fraction"], change.progress["message"]
        percent = f"{100 * fraction:.0f} %" if fraction is not None else ""
        return " ".join(filter(None, (percent, message))) or "working"
    if change.deferred_until:
        return f"waiting for a rate limit; continues at {_time(change.deferred_until)}"
    if change.starts_at and change.version == 1:
        return f"starts at {_time(change.starts_at)}"
    return "pending"


def print_change(console: Console, change: Change) -> None:
    """Print a change on a line."""
    line = Text(f"{_time(change.updated_at)}  ")
    line.append(f"{MARKS.get(change.status, '?')} ", STYLES.get(change.status, ""))
    line.append(f"{change.id}  {change.kind}  {describe(change)}")
    console.print(line, soft_wrap=True)


@contextmanager
def progress_of(console: Console, title: str) -> Iterator[Any]:
    """Yield a function that shows a job's change: live on a terminal, otherwise on a line each."""
    if not console.is_terminal:
        yield lambda change: print_change(console, change)
        return
    state = TextColumn("{task.fields[state]}", markup=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), state, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, state="")

        def show(change: Change) -> None:
            fraction = (change.progress or {}).get("fraction")
            total = None if fraction is None and not change.has_ended else 1.0
            progress.update(task, total=total, completed=fraction or 0, state=describe(change))

        yield show


@contextmanager
def progress_bar(console: Console, title: str, total: int) -> Iterator[Any]:
    """Yield a function that advances a bar by a number of jobs."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


def print_table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table. If standard output is not a terminal, its columns are separated by tabs."""
    console = Console(highlight=False)
    if not console.is_terminal:
        for row in rows:
            print("\t".join(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _time(milliseconds: int) -> str:
    """Return a time for people: of today, or with its date."""
    time = datetime.fromtimestamp(milliseconds / 1000)
    is_today = time.date() == datetime.now().date()
    return f"{time:%H:%M:%S}" if is_today else f"{time:%Y-%m-%d %H:%M}"
