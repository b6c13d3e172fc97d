"""Prepare the product for one thread: serial executors, whose order the seed determines, and no metrics."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

from functions.common import observability
from tests.simulation.world import World

MODULES = (
    "functions.common.store",
    "functions.job_watchdog.run_schedules",
    "functions.webhook_sender.send_webhooks",
    "kinds.photo.find_photos",
    "tests.simulation.system",
)
"""The modules that make thread pools."""


@contextmanager
def one_thread(world: World) -> Iterator[None]:
    """Use serial executors in the product."""

    class SerialExecutor:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def __enter__(self) -> "SerialExecutor":
            return self

        def __exit__(self, *_: object) -> None: ...

        def map(self, function: Callable[..., Any], *iterables: Iterable[Any]) -> Iterator[Any]:
            calls = list(zip(*iterables, strict=False))
            order = list(range(len(calls)))
            if world.is_random:
                world.random.shuffle(order)
            results = {number: function(*calls[number]) for number in order}
            return (results[number] for number in range(len(calls)))

    patches: list[Any] = [patch(f"{module}.ThreadPoolExecutor", SerialExecutor) for module in MODULES]
    # otherwise the schedules of each run would be in other partitions
    patches.append(
        patch(
            "functions.schedules.schedules.uuid4", lambda: UUID(int=world.random.getrandbits(128), version=4)
        )
    )
    patches += [
        patch.object(observability, "single_metric"),
        patch.object(observability.metrics, "add_metric"),
    ]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
