"""A model of the monthly cost of a deployment by service.

The model uses the calls that the tests count (bench/calls.py), list prices (bench/prices.py) and the
assumptions below. docs/cost.md explains the results.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bench.calls import FULL, LONE, Calls
from bench.prices import PRICES

DAYS = 365 / 12
HOURS = 24 * DAYS
SECONDS = 3600 * HOURS
LONE_RATE = 10.0
"""Jobs per second that the ten workers process one by one. Jobs above this rate come in full batches."""
GB = 1e9

# DynamoDB: a write costs one unit per KB, of a table or an index, and twice that in a transaction.
ACCEPT_UNITS = 1 + 5
"""Write units of a pending job and its entries in five indexes."""
RESOLVE_UNITS = 2 + 7
"""Write units of a job with its photo: three index entries move (two units each) and one is deleted."""
PHOTOS = 30
"""Photos per request to the third party."""
SPARE_UNITS = 5
"""Write units of the item that holds a topic's spare photos. Every write is charged for the whole item, even
one that takes a photo. 29 photos from Unsplash took 3.7 KB; a test packs photos with longer texts."""
CHANGES = 3
"""Changes per job: created, resolved, expired. The first two are published."""
EVENTS = 2
"""Those that are counted in their minutes, which are another item: created, resolved."""
COUNT_UNITS = 2
"""Write units of a mark with its history, a counter or an item of minutes, in a transaction. A test measures
the mark. Items of minutes are larger than 1 KB only when hundreds of jobs end in ten minutes."""
ENTRY_UNITS = 3
"""Write units of a job's entry in the list of all owners, with sign-in: created, changed, deleted."""
JOB_GB = 2.5e3 / GB
"""Size of a job with its index entries and its mark, which are stored for a month."""

# Lambda: seconds per invocation
TIMES = {
    "create_job": 0.03,
    "read_jobs": 0.05,
    "result_worker": 0.03,
    "job_counter": 0.05,
    "job_watchdog": 0.05,
    "authorizer": 0.01,
    "webhook_sender": 0.3,
}
WORK_SECONDS = {1: 1.0, 10: 2.0}
"""Seconds per invocation of job_worker, by batch size."""
MEMORY_GB = {
    "create_job": 0.5,
    "read_jobs": 1.0,
    "change_job": 0.5,
    "job_worker": 0.5,
    "result_worker": 0.25,
    "dlq_worker": 0.25,
    "job_counter": 0.25,
    "job_watchdog": 1.0,
    "webhook_sender": 0.25,
    "webhooks": 0.25,
    "relay_janitor": 0.25,
    "authorizer": 0.25,
    "create_ticket": 0.25,
    "schedules": 0.5,
}
"""Memory of all functions, also of those whose few invocations are not counted. A test compares these values
with the templates."""
WATCHDOG_RUNS = 60 * HOURS

# SQS: concurrent long polls, five for each of Lambda's queues and two for a relay's queue
POLL_SECONDS = 20.0
KINDS = 2
"""The included kinds. Each has its own queue."""
QUEUE_POLLERS, RELAY_POLLERS = 5, 2
QUEUE_REQUESTS = QUEUE_POLLERS * SECONDS / POLL_SECONDS + WATCHDOG_RUNS
"""Requests per month to an empty queue: Lambda's long polls, and the watchdog's question for its size."""
WEBHOOK_POLLS = QUEUE_POLLERS * SECONDS / POLL_SECONDS
"""The same for the queue of the webhooks, which the watchdog does not read."""
STREAM_POLLS = 4.0
"""Stream reads per second by the Pipe."""

# the relay and its viewers
CONNECTS = SECONDS / (13.3 * 60)
"""Connections per viewer and month. Each also reads the list once."""
EVENT_GB = 900 / GB
STREAMED_GB = 0.01
"""Data of a stream that is charged as one more request."""
HEARTBEAT_GB = SECONDS / 15 * 60 / GB
CHANGE_GB = 3e3 / GB
"""Size of a stream record with the old and the new image."""

IMAGE_GB = {"stored": 180e3 / GB, "shown": 150e3 / GB}
LOG_GB = {1: 6e3 / GB, 10: 2.5e3 / GB}
"""Logs of all functions per job, by batch size."""
WEBHOOK_LOG_GB = 1e3 / GB
RELAY_LOG_GB = 170 / GB
ACCESS_LOG_GB = 300 / GB
"""API Gateway's log line for a request. Not counted: flow logs of rejected connections, and the access logs
of S3, CloudFront and the load balancer (free to deliver, a few dollars at most to store)."""


@dataclass(frozen=True)
class Size:
    """Resources that are charged even when idle, by the setting `size`.

    A test compares them with the templates. `alarm_metrics` counts the metrics that alarms use, because an
    alarm is charged per metric; `live_alarm_metrics` counts those of the relay. `kind_alarms` and
    `budget_alarms` are what one more kind and one more budget add. `metrics` are custom metrics. In
    `waf_rules` a managed rule group counts as one rule; 0 means no firewall. `addresses` are
    the public IPv4 addresses of the NAT gateways or of the tasks. `streams_per_task` is the target of
    autoscaling or, with a fixed number of tasks, the capacity of one.
    """

    alarm_metrics: int
    live_alarm_metrics: int
    kind_alarms: int
    budget_alarms: int
    dashboards: int
    metrics: int
    waf_rules: int
    webhooks: bool
    nat_gateways: int
    addresses: int
    tasks: int
    max_tasks: int
    vcpu: float
    memory_gb: float
    streams_per_task: int


STANDARD = Size(
    alarm_metrics=46, live_alarm_metrics=5, kind_alarms=3, budget_alarms=1,
    dashboards=1, metrics=42, waf_rules=3, webhooks=True, nat_gateways=1, addresses=1, tasks=2, max_tasks=10,
    vcpu=0.5, memory_gb=1.0, streams_per_task=5_000,
)  # fmt: skip
SMALL = Size(
    alarm_metrics=12, live_alarm_metrics=1, kind_alarms=1, budget_alarms=0,
    dashboards=0, metrics=0, waf_rules=0, webhooks=False, nat_gateways=0, addresses=1, tasks=1, max_tasks=1,
    vcpu=0.25, memory_gb=0.5, streams_per_task=2_000,
)  # fmt: skip
SIZES = {"standard": STANDARD, "small": SMALL}


@dataclass(frozen=True)
class Load:
    """The load and the settings of a deployment.

    `viewers` are connected all the time. With `watch_feed` each of them receives every job, otherwise only
    its own. With `sign_in`, the token of every call is verified. `stored_images`, `live` and `size`
    correspond to the settings `images=cdn`, `live` and `size`.

    Raises ValueError for a negative number, or for more viewers than the size supports.
    """

    jobs_per_day: float
    viewers: float = 0
    watch_feed: bool = True
    stored_images: bool = True
    live: bool = True
    sign_in: bool = False
    size: Size = STANDARD

    def __post_init__(self) -> None:
        if self.jobs_per_day < 0 or self.viewers < 0:
            raise ValueError("jobs and viewers must not be negative")
        most = self.size.max_tasks * self.size.streams_per_task
        if self.live and self.viewers > most:
            raise ValueError(f"this size supports at most {most:,} viewers")

    @property
    def jobs(self) -> float:
        """Jobs per month."""
        return self.jobs_per_day * DAYS

    @property
    def lone_jobs(self) -> float:
        """Jobs per month that are processed one by one."""
        return min(self.jobs, LONE_RATE * SECONDS)

    @property
    def tasks(self) -> int:
        """Number of relay tasks."""
        return max(self.size.tasks, math.ceil(self.viewers / self.size.streams_per_task)) if self.live else 0


Amount = tuple[str, str, float]
"""Service, name in PRICES, and units per month."""
Usage = dict[str, dict[str, float]]
"""Units used per month, by service and by name in PRICES."""


def usage(load: Load) -> Usage:
    """Return the units that the load uses in a month."""
    used: Usage = defaultdict(lambda: defaultdict(float))
    for service, priced, amount in _amounts(load):
        if amount:
            used[service][priced] += amount
    return used


def cost(load: Load) -> dict[str, float]:
    """Return the dollars per month by service, highest first."""
    sums = {
        service: sum(PRICES[priced].usd * amount for priced, amount in amounts.items())
        for service, amounts in usage(load).items()
    }
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _amounts(load: Load) -> Iterator[Amount]:
    """Yield all amounts. A price may occur several times."""
    yield from _per_job(load)
    yield from _idle(load)
    yield from _viewers(load)
    if load.live:
        yield from _relay(load)
    if load.sign_in:
        yield from _sign_in(load)


def _per_job(load: Load) -> Iterator[Amount]:
    if load.size.webhooks:
        yield "SNS and Pipe", "sns_filter_gb", 2 * load.jobs * CHANGE_GB
    yield from _processing(LONE, load.lone_jobs)
    yield from _processing(FULL, load.jobs - load.lone_jobs)
    yield from _api_requests(load, load.jobs)
    yield "DynamoDB", "table_gb", load.jobs * JOB_GB
    yield "X-Ray", "trace", 3 * (min(load.jobs, SECONDS) + 0.05 * max(0, load.jobs - SECONDS))
    if load.stored_images:
        yield "S3", "s3_put", 2 * load.jobs
        yield "S3", "s3_gb", load.jobs * IMAGE_GB["stored"]
        yield "CloudFront", "cdn_request", load.jobs
        yield "CloudFront", "cdn_gb", load.jobs * IMAGE_GB["shown"]


def _processing(calls: Calls, jobs: float) -> Iterator[Amount]:
    """Yield the amounts for jobs from the API to the topic, with the batch size of `calls`."""
    batches = jobs / calls.batch
    transactions = _counter_transactions(calls, jobs)
    counters = transactions * (1 + EVENTS / CHANGES)
    yield "DynamoDB", "write_unit", _writes(calls, jobs) + COUNT_UNITS * (jobs * CHANGES + counters)
    yield "DynamoDB", "read_unit", jobs * (1 + CHANGES)
    sends = jobs * (1 + calls.per_job("job_worker", "SendMessageBatch"))
    yield "SQS", "sqs_request", sends + 2 * 2 * batches  # two queues, each with a receive and a delete
    yield "SNS and Pipe", "sns_publish", 2 * batches
    yield "SNS and Pipe", "pipe_request", 2 * batches
    yield from invocations("create_job", jobs, TIMES["create_job"])
    yield from invocations("job_worker", batches, WORK_SECONDS[calls.batch])
    yield from invocations("result_worker", batches, TIMES["result_worker"])
    yield from invocations("job_counter", transactions, TIMES["job_counter"])
    yield "CloudWatch", "log_gb", jobs * LOG_GB[calls.batch]


def _counter_transactions(calls: Calls, jobs: float) -> float:
    return jobs * calls.per_job("job_counter", "TransactWriteItems") * CHANGES / 2


def _sign_in(load: Load) -> Iterator[Amount]:
    """Yield the amounts that sign-in adds: index entries, counters of all owners, and verified tokens.

    API Gateway keeps the answer for a token for five minutes. Here it never has one, which is the worst case.
    """
    transactions = _counter_transactions(LONE, load.lone_jobs)
    transactions += _counter_transactions(FULL, load.jobs - load.lone_jobs)
    counters = transactions * (1 + EVENTS / CHANGES)
    yield "DynamoDB", "write_unit", ENTRY_UNITS * load.jobs + COUNT_UNITS * counters
    yield from invocations("authorizer", load.jobs + load.viewers * CONNECTS, TIMES["authorizer"])


def _writes(calls: Calls, jobs: float) -> float:
    """Return the write units of the jobs and of the worker's items in the ledger."""
    spares = jobs / calls.batch + 2 * jobs / PHOTOS  # one take per batch; one claim and one put per request
    small = jobs * calls.per_job("job_worker", "UpdateItem") - spares
    return jobs * (ACCEPT_UNITS + RESOLVE_UNITS) + spares * SPARE_UNITS + small


def _idle(load: Load) -> Iterator[Amount]:
    """Yield the amounts that do not depend on jobs or viewers."""
    size = load.size
    yield "SQS", "sqs_request", (KINDS + 2) * QUEUE_REQUESTS
    yield "SQS", "sqs_request", WEBHOOK_POLLS if size.webhooks else 0
    yield "DynamoDB", "stream_read", STREAM_POLLS * SECONDS
    yield from invocations("job_watchdog", WATCHDOG_RUNS, TIMES["job_watchdog"])
    yield "DynamoDB", "read_unit", WATCHDOG_RUNS * 8 * 0.5  # the partitions of the by-due index
    yield "CloudWatch", "metric", size.metrics
    yield "CloudWatch", "alarm_metric", size.alarm_metrics + (size.live_alarm_metrics if load.live else 0)
    yield "CloudWatch", "dashboard", size.dashboards
    yield "WAF", "web_acl", 1 if size.waf_rules else 0
    yield "WAF", "waf_rule", size.waf_rules
    yield "Secrets Manager", "secret", 2 if size.webhooks else 1


def _viewers(load: Load) -> Iterator[Amount]:
    connects = load.viewers * CONNECTS
    yield from _api_requests(load, 2 * connects if load.live else connects)
    yield from invocations("read_jobs", connects, TIMES["read_jobs"])
    yield "DynamoDB", "read_unit", connects * (4 + 20 + 8)  # index shards, a page of jobs, counters


def _relay(load: Load) -> Iterator[Amount]:
    yield "Relay", "vcpu_hour", load.tasks * load.size.vcpu * HOURS
    yield "Relay", "memory_gb_hour", load.tasks * load.size.memory_gb * HOURS
    yield "Relay", "nat_hour", load.size.nat_gateways * HOURS
    yield "Relay", "address_hour", load.size.addresses * HOURS
    yield "Relay", "alb_hour", HOURS
    changes = load.jobs * 2
    batches = load.lone_jobs / LONE.batch + (load.jobs - load.lone_jobs) / FULL.batch
    receives = changes * batches / (load.jobs or 1)
    yield "SQS", "sqs_request", load.tasks * (RELAY_POLLERS * SECONDS / POLL_SECONDS + 2 * receives)
    if load.size.nat_gateways:
        yield "Relay", "nat_gb", load.tasks * changes * CHANGE_GB
    yield "CloudWatch", "log_gb", load.tasks * changes * RELAY_LOG_GB
    sent = changes * EVENT_GB * (load.viewers if load.watch_feed else 1) + load.viewers * HEARTBEAT_GB
    yield "Events to viewers", "out_gb", sent
    yield "Events to viewers", "api_request", sent / STREAMED_GB
    yield "Relay", "lcu_hour", max(load.viewers / 3000, sent / HOURS) * HOURS


def _api_requests(load: Load, requests: float) -> Iterator[Amount]:
    yield "API Gateway", "api_request", requests
    if load.size.waf_rules:
        yield "WAF", "waf_request", requests
    yield "CloudWatch", "log_gb", requests * ACCESS_LOG_GB


def invocations(name: str, count: float, seconds: float) -> Iterator[Amount]:
    """Yield what calls of a function are charged for."""
    yield "Lambda", "lambda_request", count
    yield "Lambda", "lambda_gb_second", count * seconds * MEMORY_GB[name]
