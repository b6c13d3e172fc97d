"""What a deployment costs in a month, by service: `python -m bench.cost --jobs-per-day N --viewers N`.

From the calls that the tests count (bench/calls.py), list prices (bench/prices.py), and the assumptions
below. docs/cost.md says what follows from it.
"""

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bench.calls import FULL, LONE, Calls
from bench.prices import PRICES

DAYS = 365 / 12
HOURS = 24 * DAYS
SECONDS = 3600 * HOURS
LONE_RATE = 10.0
"""Jobs a second that the ten workers do one by one; of what comes beyond that, batches are full."""
GB = 1e9

# DynamoDB. An item costs a unit for each KB, one of an index too; in a transaction twice that.
ACCEPT_UNITS = 1 + 4
"""A pending job and its place in four indexes."""
RESOLVE_UNITS = 2 + 5
"""A job with its photo; moved in two indexes (two units each), taken out of a third."""
PHOTOS = 30
"""Of one request to the third party."""
SPARE_UNITS = 5
"""They lie packed in one item: every write to it, even a taking, is paid by its size. Twenty-nine that were
Unsplash's packed into 3.7 KB; a test packs some with longer texts."""
CHANGES = 3
"""Of a job in its life: made, resolved, expired. The first two are published."""
COUNT_UNITS = 2
"""A mark, or a counter, in a transaction."""
JOB_GB = 2.5e3 / GB
"""A job with its index entries and its mark; kept for a month."""

# Lambda: seconds an invocation
TIMES = {
    "create_job": 0.03,
    "read_jobs": 0.05,
    "result_worker": 0.03,
    "job_counter": 0.05,
    "job_watchdog": 0.05,
}
WORK_SECONDS = {1: 1.0, 10: 2.0}
MEMORY_GB = {
    "create_job": 0.5,
    "read_jobs": 1.0,
    "change_job": 0.5,
    "job_worker": 0.5,
    "result_worker": 0.25,
    "dlq_worker": 0.25,
    "job_counter": 0.25,
    "job_watchdog": 0.25,
    "relay_janitor": 0.25,
}
"""Also of those that run so seldom that they are not counted. A test compares it with the templates."""
WATCHDOG_RUNS = 60 * HOURS

# what waits for messages: five long polls at a time for each of Lambda's three queues, two for a relay's
POLL_SECONDS = 20.0
LAMBDA_POLLERS, RELAY_POLLERS = 3 * 5, 2
STREAM_POLLS = 4.0
"""A second, by the Pipe."""

# the relay and its readers
CONNECTS = SECONDS / (13.3 * 60)
"""Of one viewer in a month; each with a read of the list."""
EVENT_GB = 900 / GB
STREAMED_GB = 0.01
"""Of a stream, charged as one more request."""
HEARTBEAT_GB = SECONDS / 15 * 60 / GB
CHANGE_GB = 3e3 / GB
"""A stream record, with the old image and the new one."""

IMAGE_GB = {"stored": 180e3 / GB, "shown": 150e3 / GB}
LOG_GB = {1: 6e3 / GB, 10: 2.5e3 / GB}
"""Of all functions for a job, worked one by one and in full batches."""
RELAY_LOG_GB = 170 / GB
ACCESS_LOG_GB = 300 / GB
"""API Gateway's line for a request. Not counted: the access logs of S3, CloudFront and the load balancer, for
their delivery is free and their storage a few dollars at most, and flow logs of what was turned away."""


@dataclass(frozen=True)
class Size:
    """What costs by being there, by the setting `size`. A test compares it with the templates.

    `alarm_metrics`: an alarm is charged for each metric that it looks at; `live_` are those of the relay.
    `metrics` are custom ones. A managed group of the firewall is charged as one rule; none, no firewall.
    `streams_per_task` is what autoscaling aims at; with a fixed number of tasks, what they take.
    `addresses`: public ones, of the NAT gateways or of the tasks.
    """

    alarm_metrics: int
    live_alarm_metrics: int
    dashboards: int
    metrics: int
    waf_rules: int
    nat_gateways: int
    addresses: int
    tasks: int
    max_tasks: int
    vcpu: float
    memory_gb: float
    streams_per_task: int


STANDARD = Size(
    alarm_metrics=31, live_alarm_metrics=5, dashboards=1, metrics=40, waf_rules=4,
    nat_gateways=1, addresses=1, tasks=2, max_tasks=10, vcpu=0.5, memory_gb=1.0, streams_per_task=5_000,
)  # fmt: skip
SMALL = Size(
    alarm_metrics=13, live_alarm_metrics=1, dashboards=0, metrics=0, waf_rules=0,
    nat_gateways=0, addresses=1, tasks=1, max_tasks=1, vcpu=0.25, memory_gb=0.5, streams_per_task=2_000,
)  # fmt: skip
SIZES = {"standard": STANDARD, "small": SMALL}


@dataclass(frozen=True)
class Load:
    """`viewers` are connected all the time. `watch_feed`: each sees every job, not only its own.
    `stored_images`, `live` and `size` are the deployment's settings `images: cdn`, `live` and `size`.

    Raises ValueError if there is less than nothing, or more viewers than the size takes.
    """

    jobs_per_day: float
    viewers: float = 0
    watch_feed: bool = True
    stored_images: bool = True
    live: bool = True
    size: Size = STANDARD

    def __post_init__(self) -> None:
        if self.jobs_per_day < 0 or self.viewers < 0:
            raise ValueError("jobs and viewers cannot be negative")
        most = self.size.max_tasks * self.size.streams_per_task
        if self.live and self.viewers > most:
            raise ValueError(f"at most {most:,} viewers with this size")

    @property
    def jobs(self) -> float:
        """In a month."""
        return self.jobs_per_day * DAYS

    @property
    def lone(self) -> float:
        """Of them, those that are worked one by one."""
        return min(self.jobs, LONE_RATE * SECONDS)

    @property
    def tasks(self) -> int:
        """Relay tasks."""
        return max(self.size.tasks, math.ceil(self.viewers / self.size.streams_per_task)) if self.live else 0


Usage = dict[str, dict[str, float]]
"""How much of what has a price, by service."""


def usage(load: Load) -> Usage:
    """What a month uses."""
    used: Usage = defaultdict(lambda: defaultdict(float))
    for service, priced, amount in _amounts(load):
        if amount:
            used[service][priced] += amount
    return used


def cost(load: Load) -> dict[str, float]:
    """Dollars a month by service, dearest first."""
    sums = {
        service: sum(PRICES[priced].usd * amount for priced, amount in amounts.items())
        for service, amounts in usage(load).items()
    }
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _amounts(load: Load) -> Iterator[tuple[str, str, float]]:
    yield from _per_job(load)
    yield from _standing(load)
    yield from _viewing(load)
    if load.live:
        yield from _relay(load)


def _per_job(load: Load) -> Iterator[tuple[str, str, float]]:
    yield from _worked(LONE, load.lone)
    yield from _worked(FULL, load.jobs - load.lone)
    yield from _api(load, load.jobs)
    yield "DynamoDB", "table_gb", load.jobs * JOB_GB
    yield "X-Ray", "trace", 3 * (min(load.jobs, SECONDS) + 0.05 * max(0, load.jobs - SECONDS))
    if load.stored_images:
        yield "S3", "s3_put", 2 * load.jobs
        yield "S3", "s3_gb", load.jobs * IMAGE_GB["stored"]
        yield "CloudFront", "cdn_request", load.jobs
        yield "CloudFront", "cdn_gb", load.jobs * IMAGE_GB["shown"]


def _worked(calls: Calls, jobs: float) -> Iterator[tuple[str, str, float]]:
    """Jobs from the API to the topic, as many at a time as `calls` are of."""
    batches = jobs / calls.batch
    transactions = jobs * calls.per_job("job_counter", "TransactWriteItems") * CHANGES / 2
    yield "DynamoDB", "write_unit", _writes(calls, jobs) + COUNT_UNITS * (jobs * CHANGES + transactions)
    yield "DynamoDB", "read_unit", jobs * (1 + CHANGES)
    sends = jobs * (1 + calls.per_job("job_worker", "SendMessageBatch"))
    yield "SQS", "sqs_request", sends + 2 * 2 * batches  # two queues, each received from and deleted from
    yield "SNS and Pipe", "sns_publish", 2 * batches
    yield "SNS and Pipe", "pipe_request", 2 * batches
    yield from _invoked("create_job", jobs, TIMES["create_job"])
    yield from _invoked("job_worker", batches, WORK_SECONDS[calls.batch])
    yield from _invoked("result_worker", batches, TIMES["result_worker"])
    yield from _invoked("job_counter", transactions, TIMES["job_counter"])
    yield "CloudWatch", "log_gb", jobs * LOG_GB[calls.batch]


def _writes(calls: Calls, jobs: float) -> float:
    """Write units of the jobs and of the worker's part of the ledger."""
    spares = jobs / calls.batch + 2 * jobs / PHOTOS  # takings, and with each request a claim and a put
    small = jobs * calls.per_job("job_worker", "UpdateItem") - spares
    return jobs * (ACCEPT_UNITS + RESOLVE_UNITS) + spares * SPARE_UNITS + small


def _standing(load: Load) -> Iterator[tuple[str, str, float]]:
    """What costs though nothing happens."""
    size = load.size
    yield "SQS", "sqs_request", LAMBDA_POLLERS * SECONDS / POLL_SECONDS
    yield "DynamoDB", "stream_read", STREAM_POLLS * SECONDS
    yield from _invoked("job_watchdog", WATCHDOG_RUNS, TIMES["job_watchdog"])
    yield "CloudWatch", "metric", size.metrics
    yield "CloudWatch", "alarm_metric", size.alarm_metrics + (size.live_alarm_metrics if load.live else 0)
    yield "CloudWatch", "dashboard", size.dashboards
    yield "WAF", "web_acl", 1 if size.waf_rules else 0
    yield "WAF", "waf_rule", size.waf_rules
    yield "Secrets Manager", "secret", 1


def _viewing(load: Load) -> Iterator[tuple[str, str, float]]:
    connects = load.viewers * CONNECTS
    yield from _api(load, 2 * connects if load.live else connects)
    yield from _invoked("read_jobs", connects, TIMES["read_jobs"])
    yield "DynamoDB", "read_unit", connects * (4 + 20 + 8)  # index shards, a page of jobs, counters


def _relay(load: Load) -> Iterator[tuple[str, str, float]]:
    yield "Relay", "vcpu_hour", load.tasks * load.size.vcpu * HOURS
    yield "Relay", "memory_gb_hour", load.tasks * load.size.memory_gb * HOURS
    yield "Relay", "nat_hour", load.size.nat_gateways * HOURS
    yield "Relay", "address_hour", load.size.addresses * HOURS
    yield "Relay", "alb_hour", HOURS
    changes = load.jobs * 2
    together = changes * (load.lone / LONE.batch + (load.jobs - load.lone) / FULL.batch) / (load.jobs or 1)
    yield "SQS", "sqs_request", load.tasks * (RELAY_POLLERS * SECONDS / POLL_SECONDS + 2 * together)
    if load.size.nat_gateways:
        yield "Relay", "nat_gb", load.tasks * changes * CHANGE_GB
    yield "CloudWatch", "log_gb", load.tasks * changes * RELAY_LOG_GB
    sent = changes * EVENT_GB * (load.viewers if load.watch_feed else 1) + load.viewers * HEARTBEAT_GB
    yield "Events to viewers", "out_gb", sent
    yield "Events to viewers", "api_request", sent / STREAMED_GB
    yield "Relay", "lcu_hour", max(load.viewers / 3000, sent / HOURS) * HOURS


def _api(load: Load, requests: float) -> Iterator[tuple[str, str, float]]:
    yield "API Gateway", "api_request", requests
    if load.size.waf_rules:
        yield "WAF", "waf_request", requests
    yield "CloudWatch", "log_gb", requests * ACCESS_LOG_GB


def _invoked(name: str, count: float, seconds: float) -> Iterator[tuple[str, str, float]]:
    yield "Lambda", "lambda_request", count
    yield "Lambda", "lambda_gb_second", count * seconds * MEMORY_GB[name]


def main(arguments: list[str]) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--jobs-per-day", type=float, default=0)
    parser.add_argument("--viewers", type=float, default=0, help="connected all the time")
    parser.add_argument("--watch", choices=("feed", "own"), default="feed", help="every job, or one's own")
    parser.add_argument("--images", choices=("cdn", "hotlink"), default="cdn", help="the setting")
    parser.add_argument("--live", choices=("true", "false"), default="true", help="the setting")
    parser.add_argument("--size", choices=SIZES, default="standard", help="the setting")
    given = parser.parse_args(arguments)
    try:
        load = Load(
            given.jobs_per_day,
            given.viewers,
            watch_feed=given.watch == "feed",
            stored_images=given.images == "cdn",
            live=given.live == "true",
            size=SIZES[given.size],
        )
    except ValueError as error:
        parser.error(str(error))
    costs = cost(load)
    print(f"{load.jobs:,.0f} jobs a month, {load.viewers:,.0f} viewers, {load.tasks} relay tasks")
    print("USD a month, list prices without free tiers\n")
    for service, dollars in costs.items():
        print(f"  {service:20}{dollars:14,.2f}")
    print(f"  {'total':20}{sum(costs.values()):14,.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
