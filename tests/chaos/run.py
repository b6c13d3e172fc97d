"""One run: the local system under load and harm, then the oracle's verdict."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.processes import free_ports
from local.system import LocalSystem
from tests.chaos.clients import Callers
from tests.chaos.faults import Faults
from tests.chaos.oracle import Oracle
from tests.chaos.third_party import ThirdParty
from tests.chaos.viewers import Viewer

WINDOW_SECONDS = 15
WATCHDOG_SECONDS = 5.0
NAMED_IDS = 60
HARM_SECONDS = (10, 120)
"""How long it goes on when all was done, and at the most."""


@dataclass(frozen=True)
class Plan:
    """How much of it. `limit`: the third party's budget in each window of fifteen seconds; ours is longer by
    the budget's margin."""

    jobs: int
    seed: int
    clients: int
    topics: int
    limit: int


@dataclass(frozen=True)
class Verdict:
    """What was injected and what was found."""

    injected: dict[str, int]
    found: dict[str, int]
    breaches: list[str]
    seconds: float


def run(plan: Plan, folder: Path) -> Verdict:
    """Raises only if the system does not start; everything else is in the verdict."""
    began = time.monotonic()
    with ThirdParty(plan.seed, limit=plan.limit, window=WINDOW_SECONDS) as third_party, ExitStack() as stack:
        system = stack.enter_context(_system(plan, folder, third_party))
        callers = Callers(system.url, plan.seed, jobs=plan.jobs, count=plan.clients, topics=plan.topics)
        feed = [Viewer(system.url, plan.seed + number) for number in range(3)]
        parts = range(4)
        named = [Viewer(system.url, plan.seed + 100 + part, _share(callers, part)) for part in parts]
        stack.enter_context(_watchdog(system))
        callers.start()
        for viewer in [*feed, *named]:
            viewer.start()
        faults = Faults(system, plan.seed, callers.ids)
        faults.start()
        callers.join()
        _more_harm(faults)
        faults.stop()
        third_party.calm = True
        oracle = Oracle(system, callers, third_party)
        breaches = oracle.breaches(
            feed, {viewer: _share(callers, part)() for part, viewer in enumerate(named)}
        )
        statuses = Counter(f"jobs {job['status']}" for job in oracle.table().values())
        oracle.close()
        for viewer in [*feed, *named]:
            viewer.stop()
    viewers = [*feed, *named]
    injected = {
        **callers.counted,
        **faults.counted,
        **third_party.counted,
        "streams dropped": sum(viewer.drops for viewer in viewers),
    }
    found = {
        "jobs accepted": len(callers.accepted),
        **statuses,
        "streams opened": sum(viewer.streams for viewer in viewers),
        "events seen": sum(viewer.events for viewer in viewers),
        "resyncs": sum(viewer.resyncs for viewer in viewers),
    }
    return Verdict(injected, found, breaches, time.monotonic() - began)


def _more_harm(faults: Faults) -> None:
    """While the backlog is worked, and until every kind of harm was done."""
    began = time.monotonic()
    while time.monotonic() - began < HARM_SECONDS[not faults.all_done()]:
        time.sleep(0.5)


def _system(plan: Plan, folder: Path, third_party: ThirdParty) -> LocalSystem:
    """Times scaled down: the hour is fifteen seconds, a crashed batch comes again after thirty."""
    settings = {
        "rate_limit": str(plan.limit),
        "rate_window_seconds": str(WINDOW_SECONDS),
        "worker_timeout": "5",
        "grace_seconds": "10",
    }
    (port,) = free_ports(1)
    environment = {**os.environ, "UNSPLASH_API_URL": third_party.url}
    environment.pop("AWS_ENDPOINT_URL", None)
    return LocalSystem(folder, port, settings=settings, environment=environment)


def _share(callers: Callers, part: int) -> Callable[[], list[str]]:
    """The first jobs of a quarter of all."""
    return lambda: callers.ids()[part * NAMED_IDS : (part + 1) * NAMED_IDS]


@contextmanager
def _watchdog(system: LocalSystem) -> Iterator[None]:
    """Its schedule, scaled down like everything else."""
    client = system.emulator.client("lambda")
    functions = client.list_functions()["Functions"]
    (name,) = [one["FunctionName"] for one in functions if "job_watchdog" in one["Handler"]]
    stopping = threading.Event()

    def look() -> None:
        while not stopping.wait(WATCHDOG_SECONDS):
            with suppress(BotoCoreError, ClientError):  # a busy emulator may not answer in time
                client.invoke(FunctionName=name, Payload=b"{}")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        client.close()
