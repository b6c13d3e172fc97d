"""Run the local system under load and faults, and let the oracle check it."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import ROOT
from local.processes import free_ports
from local.system import LocalSystem
from tests.chaos.clients import Callers
from tests.chaos.faults import NOTICES, NOTICES_VISIBILITY, Faults
from tests.chaos.oracle import Oracle
from tests.chaos.receiver import Receiver
from tests.chaos.third_party import ThirdParty
from tests.chaos.timetable import Timetable
from tests.chaos.viewers import Viewer

WINDOW_SECONDS = 15
WATCHDOG_SECONDS = 5.0
KINDS = ROOT / "tests" / "integration" / "kinds"
IDS_PER_VIEWER = 60
MIN_FAULT_SECONDS, MAX_FAULT_SECONDS = 10, 120
"""Limits for how long faults continue after the last job was created, until every kind has occurred."""


@dataclass(frozen=True)
class Plan:
    """The size of a run. `limit` is the third party's budget per 15 seconds. `damages` damaged messages go to
    queues that redeliver them for minutes; with any, some jobs also end their worker.

    The system's own window is longer by the budget's margin.
    """

    jobs: int
    seed: int
    clients: int
    topics: int
    limit: int
    damages: int = 0


@dataclass(frozen=True)
class Verdict:
    """The injected faults, the observations, the broken invariants and the duration of a run."""

    injected: dict[str, int]
    observed: dict[str, int]
    breaches: list[str]
    seconds: float


def run(plan: Plan, folder: Path) -> Verdict:
    """Run the plan and return the verdict. Raise StartError if the system does not start."""
    began = time.monotonic()
    with (
        ThirdParty(plan.seed, limit=plan.limit, window=WINDOW_SECONDS) as third_party,
        Receiver(plan.seed) as receiver,
        _system(plan, folder, third_party, receiver) as system,
        _watchdog(system),
        closing(Timetable(system)) as timetable,
    ):
        _prepare_webhooks(system, receiver)
        callers = Callers(
            system.url,
            plan.seed,
            jobs=plan.jobs,
            count=plan.clients,
            topics=plan.topics,
            deaths=plan.damages > 0,
            hook=receiver.hook,
        )
        feed = [Viewer(system.url, plan.seed + number) for number in range(3)]
        named = [Viewer(system.url, plan.seed + 100 + number, _share(callers, number)) for number in range(4)]
        viewers = [*feed, *named]
        faults = Faults(system, plan.seed, callers.ids, timetable, plan.damages)
        _apply(callers, viewers, faults)
        third_party.calm = True
        with closing(Oracle(system, callers, timetable, third_party, receiver)) as oracle:
            ids = {viewer: _share(callers, number)() for number, viewer in enumerate(named)}
            breaches = oracle.breaches(feed, ids)
            statuses = Counter(f"jobs {job.status}" for job in oracle.jobs().values())
        for viewer in viewers:
            viewer.stop()
    return Verdict(
        _injected(callers, viewers, faults, third_party, receiver),
        {**_observed(callers, viewers), **statuses},
        breaches,
        time.monotonic() - began,
    )


def _apply(callers: Callers, viewers: list[Viewer], faults: Faults) -> None:
    """Create all jobs while viewers watch and faults are injected. Continue the faults on the backlog."""
    callers.start()
    for viewer in viewers:
        viewer.start()
    faults.start()
    callers.join()
    began = time.monotonic()
    while time.monotonic() - began < (MIN_FAULT_SECONDS if faults.all_done() else MAX_FAULT_SECONDS):
        time.sleep(0.5)
    faults.stop()


def _injected(
    callers: Callers, viewers: list[Viewer], faults: Faults, third_party: ThirdParty, receiver: Receiver
) -> dict[str, int]:
    return {
        **callers.counts,
        **faults.counts,
        **third_party.counts,
        **receiver.counts,
        "streams dropped": sum(viewer.drops for viewer in viewers),
    }


def _observed(callers: Callers, viewers: list[Viewer]) -> dict[str, int]:
    return {
        "jobs accepted": len(callers.accepted),
        "streams opened": sum(viewer.streams for viewer in viewers),
        "events received": sum(viewer.events for viewer in viewers),
        "resyncs": sum(viewer.resyncs for viewer in viewers),
    }


def _prepare_webhooks(system: LocalSystem, receiver: Receiver) -> None:
    """Read the secret of the webhooks, and let the notices of killed senders appear again soon."""
    receiver.secret = httpx.get(f"{system.url}/api/webhooks/secret", timeout=20).json()["secret"]
    with closing(system.emulator.client("sqs")) as sqs:
        (url,) = [url for url in sqs.list_queues()["QueueUrls"] if NOTICES in url]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": NOTICES_VISIBILITY})


def _system(plan: Plan, folder: Path, third_party: ThirdParty, receiver: Receiver) -> LocalSystem:
    """Return the local system with short times: an hour is 15 s, the redelivery after a crash takes 30 s."""
    settings = {
        "budget.unsplash": f"{plan.limit}/{WINDOW_SECONDS}",
        "kind.photo.timeout": "5",
        "kind.countdown.timeout": "8",
        "kinds_folders": str(KINDS),
        "grace_seconds": "10",
        "webhook_private_hosts": receiver.address,
    }
    (port,) = free_ports(1)
    environment = {**os.environ, "UNSPLASH_API_URL": third_party.url}
    environment.pop("AWS_ENDPOINT_URL", None)
    return LocalSystem(folder, port, settings=settings, environment=environment)


def _share(callers: Callers, number: int) -> Callable[[], list[str]]:
    """Return a function that returns the job IDs for viewer `number`, IDS_PER_VIEWER at most."""
    return lambda: callers.ids()[number * IDS_PER_VIEWER : (number + 1) * IDS_PER_VIEWER]


@contextmanager
def _watchdog(system: LocalSystem) -> Iterator[None]:
    """Invoke the watchdog every WATCHDOG_SECONDS, in place of its schedule."""
    client = system.emulator.client("lambda")
    functions = client.list_functions()["Functions"]
    (name,) = [function["FunctionName"] for function in functions if "job_watchdog" in function["Handler"]]
    stopping = threading.Event()

    def invoke_repeatedly() -> None:
        while not stopping.wait(WATCHDOG_SECONDS):
            with suppress(BotoCoreError, ClientError):  # a busy emulator may not answer in time
                client.invoke(FunctionName=name, Payload=b"{}")

    thread = threading.Thread(target=invoke_repeatedly)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        client.close()
