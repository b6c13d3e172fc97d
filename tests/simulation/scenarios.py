"""What happens in a run, apart from the faults."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation.callers import Callers
from tests.simulation.system import System
from tests.simulation.third_party import BROKEN, NOTHING, SHAKY
from tests.simulation.webhooks import FAILS_TWICE, HOOK, SLOW_AT_FIRST

OWNERS = ("ann", "bob")
Start = Callable[[Callers, System], object]


@dataclass(frozen=True)
class Scenario:
    """`start` schedules the requests. The jobs end in one of these ways, within `seconds` without a fault.

    `needs_watchdog`: after a fault in a worker, or even without one, only the watchdog makes its jobs end.
    """

    name: str
    start: Start
    ends: tuple[str, ...]
    seconds: float
    needs_watchdog: bool


SCENARIOS: dict[str, Scenario] = {}


def scenario(*ends: str, seconds: float = 10, needs_watchdog: bool = False) -> Callable[[Start], Start]:
    """Register a scenario under the name of its function."""

    def register(start: Start) -> Start:
        name = start.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, start, ends, seconds, needs_watchdog)
        return start

    return register


@scenario("resolved", seconds=2)
def photo_from_a_request(callers: Callers, _: System) -> None:
    callers.post(query="pasta")


@scenario("resolved", seconds=8)
def photo_from_spares(callers: Callers, _: System) -> None:
    for number in range(3):
        callers.post(query="pasta", at=3 * number)


@scenario("resolved", seconds=3)
def photos_of_one_batch(callers: Callers, _: System) -> None:
    for _number in range(4):
        callers.post(query="pasta")
    callers.post(query="bread")


@scenario("resolved", seconds=90, needs_watchdog=True)
def photos_beyond_the_limit(callers: Callers, _: System) -> None:
    for number in range(4):
        callers.post(query=f"topic {number}", at=number)


@scenario("error unsplash", "error storage", seconds=90, needs_watchdog=True)
def third_party_fails(callers: Callers, _: System) -> None:
    callers.post(query=BROKEN)


@scenario("resolved", "error unsplash", seconds=7)
def third_party_recovers(callers: Callers, _: System) -> None:
    callers.post(query=SHAKY)


@scenario("error no_photos", seconds=6)
def topic_without_photos(callers: Callers, _: System) -> None:
    callers.post(query=NOTHING)
    callers.post(query=NOTHING, at=4)


@scenario("error unlucky")
def three_failures(callers: Callers, _: System) -> None:
    callers.post("flaky", way="transient")


@scenario("resolved")
def failure_that_passes(callers: Callers, _: System) -> None:
    callers.post("flaky", way="exception", until_attempt=2)


@scenario("error no_luck", seconds=2)
def permanent_failure(callers: Callers, _: System) -> None:
    callers.post("flaky", way="permanent")


@scenario("error bad_output", seconds=2)
def bad_output(callers: Callers, _: System) -> None:
    callers.post("flaky", way="bad_output")


@scenario("error crashed", seconds=400)
def crash_and_redrive(callers: Callers, _: System) -> None:
    callers.post("flaky", way="dies")


@scenario("resolved", seconds=40)
def work_that_hangs(callers: Callers, _: System) -> None:
    callers.post("flaky", way="hangs", until_attempt=3)


@scenario("resolved")
def work_that_exits(callers: Callers, _: System) -> None:
    callers.post("flaky", way="exits", until_attempt=2)


@scenario("resolved", seconds=40)
def work_that_waits(callers: Callers, _: System) -> None:
    callers.post("flaky", way="waits")


@scenario("resolved", seconds=60)
def shared_budget(callers: Callers, _: System) -> None:
    for number in range(4):
        callers.post("narrow", at=number, owner=OWNERS[number % 2])


@scenario("resolved", seconds=5)
def countdown(callers: Callers, _: System) -> None:
    callers.post("countdown", seconds=3)


@scenario("resolved", seconds=22)
def delayed(callers: Callers, _: System) -> None:
    callers.post("flaky", delay=20)


@scenario("cancelled", seconds=32)
def cancelled_while_queued(callers: Callers, _: System) -> None:
    callers.post("flaky", delay=30, then=lambda job_id: callers.cancel(job_id, at=1))


@scenario("cancelled", "resolved", seconds=5)
def cancelled_while_running(callers: Callers, _: System) -> None:
    callers.post("countdown", seconds=20, then=lambda job_id: callers.cancel(job_id, at=3))


@scenario("cancelled", "resolved")
def cancelled_while_waiting(callers: Callers, _: System) -> None:
    callers.post("flaky", way="waits", then=lambda job_id: callers.cancel(job_id, at=4))


@scenario("error no_luck", seconds=12)
def retried(callers: Callers, _: System) -> None:
    callers.post("flaky", way="permanent", then=lambda job_id: callers.retry(job_id, at=10))


@scenario("resolved", "cancelled", seconds=12)
def cancelled_and_retried(callers: Callers, _: System) -> None:
    def then(job_id: str) -> None:
        callers.cancel(job_id, at=1)
        callers.retry(job_id, at=2)

    callers.post("flaky", delay=10, then=then)


@scenario("resolved", "error no_luck", seconds=12)
def several_at_once(callers: Callers, _: System) -> None:
    entries: list[dict[str, Any]] = [{"kind": "flaky"}] * 3 + [{"kind": "photo", "query": "pasta"}]
    callers.post_all(*entries, {"kind": "flaky", "way": "permanent"})


@scenario("cancelled", "resolved", seconds=40)
def cancelled_by_a_filter(callers: Callers, _: System) -> None:
    for _number in range(3):
        callers.post("flaky", delay=30)
    callers.post("flaky", delay=30, owner="bob")
    callers.change_all("cancel", at=2, limit=2)
    callers.change_all("cancel", at=2, kind="flaky")


@scenario("error no_luck", "error unlucky", seconds=45)
def retried_by_a_filter(callers: Callers, _: System) -> None:
    for _number in range(3):
        callers.post("flaky", way="permanent")
    callers.post("flaky", way="transient")
    callers.change_all("retry", at=30, limit=2, code="no_luck")


@scenario("resolved", seconds=32)
def same_key_twice(callers: Callers, _: System) -> None:
    callers.post("flaky", key="k")
    callers.post("flaky", key="k", at=30)


@scenario("resolved", seconds=2)
def same_key_at_once(callers: Callers, _: System) -> None:
    for _number in range(3):
        callers.post("flaky", key="k")
    callers.post("flaky", key="k", owner="bob")


@scenario("resolved", seconds=200, needs_watchdog=True)
def lost_message(callers: Callers, system: System) -> None:
    def lose(_: str) -> None:
        system.queues["flaky"].messages.clear()

    callers.post("flaky", delay=5, then=lose)


@scenario("resolved", seconds=400)
def batch_with_poison(callers: Callers, system: System) -> None:
    for body in ("", "{}", '{"job_id": 5}', "[" * 1000):
        system.queues["photo"].send(body)
    callers.post(query="pasta")
    callers.post(query="bread")


@scenario("error unlucky", seconds=210)
def late_copies(callers: Callers, system: System) -> None:
    """Messages of a job that were sent before arrive again, minutes later."""

    def repeat(_: str) -> None:
        for message in list(system.queues["flaky"].messages.values()):
            for seconds in (20, 100, 200):
                system.queues["flaky"].send(message.body, 1000 * seconds)

    callers.post("flaky", way="transient", delay=3, then=repeat)


@scenario("resolved", seconds=1100, needs_watchdog=True)
def work_that_waits_long(callers: Callers, _: System) -> None:
    """A wait that is too long for a message: the job is parked."""
    callers.post("flaky", way="waits long")


@scenario("resolved", seconds=12)
def replaced_relay(callers: Callers, system: System) -> None:
    callers.post("countdown", seconds=3, then=lambda _: system.replace_relay())


@scenario("resolved", seconds=1003, needs_watchdog=True)
def delayed_long(callers: Callers, _: System) -> None:
    """A delay that is too long for a message. The request is repeated while the job waits."""
    for at in (0, 50, 950):
        callers.post("flaky", delay=1000, key="k", at=at)


@scenario("resolved", seconds=430, needs_watchdog=True)
def scheduled(callers: Callers, _: System) -> None:
    callers.schedule("*/2 * * * *")
    callers.end_schedules(at=400)


@scenario("resolved", seconds=4300, needs_watchdog=True)
def scheduled_after_an_outage(callers: Callers, system: System) -> None:
    """The watchdog does not run for an hour."""
    system.outage = range(system.world.now + 200_000, system.world.now + 3_800_000)
    callers.schedule("*/10 * * * *")
    callers.end_schedules(at=4270)


@scenario("resolved", seconds=430, needs_watchdog=True)
def schedule_paused_at_its_time(callers: Callers, _: System) -> None:
    """The requests arrive before the watchdog has read the schedules, while it runs them, and after that."""

    def pause(at: float) -> Callable[[str], object]:
        def then(schedule_id: str) -> None:
            callers.change_schedule(schedule_id, at=at, paused=True)
            callers.change_schedule(schedule_id, at=120 + at, paused=False)

        return then

    for at in (119.99, 120.04, 120.07):
        callers.schedule("*/2 * * * *", then=pause(at))
    callers.end_schedules(at=400)


@scenario("resolved", seconds=430, needs_watchdog=True)
def schedule_changed_at_its_time(callers: Callers, _: System) -> None:
    def then(schedule_id: str) -> None:
        callers.change_schedule(schedule_id, at=119.99, cron="1-59/2 * * * *", timezone="Asia/Tokyo")
        callers.change_schedule(schedule_id, at=180, input={"way": "transient", "until_attempt": 2})

    callers.schedule("*/2 * * * *", then=then)
    callers.end_schedules(at=400)


@scenario("resolved", seconds=400, needs_watchdog=True)
def schedule_deleted_at_its_time(callers: Callers, _: System) -> None:
    callers.schedule("*/2 * * * *", then=lambda name: callers.delete_schedule(name, at=120.06))
    callers.schedule("*/2 * * * *", owner="bob")
    for owner in ("ann", "bob"):
        callers.end_schedules(at=300, owner=owner)


@scenario("error unlucky")
def two_copies_at_once(callers: Callers, system: System) -> None:
    """Two workers have a message about the same due time, and both fail."""

    def repeat(_: str) -> None:
        message = next(iter(system.queues["flaky"].messages.values()))
        system.queues["flaky"].send(message.body, delay=message.visible_at - system.world.now)

    callers.post("flaky", way="transient", delay=3, then=repeat)


@scenario("resolved", seconds=10)
def webhook(callers: Callers, _: System) -> None:
    callers.post("flaky", notify=HOOK)
    callers.post("flaky")


@scenario("cancelled", seconds=50)
def webhook_that_fails_at_first(callers: Callers, _: System) -> None:
    callers.post("flaky", delay=5, notify=FAILS_TWICE, then=lambda job_id: callers.cancel(job_id, at=1))


@scenario("error no_luck", seconds=50)
def webhook_of_a_job_that_is_retried(callers: Callers, _: System) -> None:
    """The first end is being delivered when the second one comes."""
    callers.post(
        "flaky", way="permanent", notify=FAILS_TWICE, then=lambda job_id: callers.retry(job_id, at=3)
    )


@scenario("error no_luck", seconds=40)
def webhook_that_is_slow_while_its_job_is_retried(callers: Callers, _: System) -> None:
    """The request about the first end takes so long that the second one could pass it."""
    callers.post(
        "flaky", way="permanent", notify=SLOW_AT_FIRST, then=lambda job_id: callers.retry(job_id, at=4)
    )
