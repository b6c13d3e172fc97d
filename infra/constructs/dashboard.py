"""The CloudWatch dashboard. It shows health, backlogs, each kind, and the use of budgets."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.metrics import (
    AGE_AT_RESOLUTION,
    CONNECTIONS,
    FAILED_BY_CODE,
    FEED_LAG,
    FIVE_MINUTES,
    JOBS_ACCEPTED,
    JOBS_DEFERRED,
    JOBS_FAILED,
    JOBS_LOST,
    JOBS_RESCUED,
    JOBS_RESOLVED,
    JOBS_SCHEDULED,
    SPARE_PHOTOS,
    STREAMS_DROPPED,
    UNSPLASH_REQUESTS,
    WATCHDOG_BEHIND,
    WEBHOOKS_DELIVERED,
    WEBHOOKS_GIVEN_UP,
    api_metric,
    call_metric,
    custom_metric,
    function_metric,
    pipe_metric,
    queue_metric,
    remaining_metric,
)
from infra.constructs.watched import Watched
from infra.deployed_kinds import DeployedKind

WIDTH = 24
"""The number of columns of a CloudWatch dashboard."""
HEIGHT = 6
CALLS = (
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("GET", "/jobs/{id}"),
    ("DELETE", "/jobs/{id}"),
    ("POST", "/jobs/{id}/retry"),
    ("GET", "/stats"),
)
"""The calls whose latency is shown."""


def dashboard_name(stack: Stack) -> str:
    """Return the dashboard's name. Names are unique in an account, across its regions."""
    return f"Calo-{stack.region}"


def dashboard_url(stack: Stack) -> str:
    """Return the address of the dashboard's page in the console, for stacks that do not depend on CaloOps."""
    region = stack.region
    page = f"home?region={region}#dashboards/dashboard/{dashboard_name(stack)}"
    return f"https://{region}.console.aws.amazon.com/cloudwatch/{page}"


class Dashboard(cloudwatch.Dashboard):
    """A dashboard with five sections. Each heading is a question that its graphs answer."""

    def __init__(
        self, scope: Construct, construct_id: str, *, alarms: list[cloudwatch.Alarm], watched: Watched
    ) -> None:
        name = dashboard_name(Stack.of(scope))
        super().__init__(scope, construct_id, dashboard_name=name, default_interval=Duration.hours(3))
        self._add_heading("Is it healthy?")
        self.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=WIDTH, height=HEIGHT)
        )
        self.add_widgets(*_jobs(), *_calls(), *(_relay() if watched.read_live is not None else []))
        self._add_heading("Where is it stuck?")
        self.add_widgets(*_queues(watched), *_functions(watched), *_publishing(watched))
        self._add_heading("What does each kind do?")
        for kind in watched.kinds.deployed.values():
            self.add_widgets(*_kind(kind, watched))
        if watched.has_webhooks:
            self._add_heading("Do webhooks reach their receivers?")
            self.add_widgets(*_webhooks(watched))
        self._add_heading("Who is spending the budget?")
        self.add_widgets(*_budget(watched), _labels(watched), _callers(watched))

    def _add_heading(self, text: str) -> None:
        self.add_widgets(cloudwatch.TextWidget(markdown=f"## {text}", width=WIDTH, height=1))


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH // 3, height=HEIGHT)


def _jobs() -> list[cloudwatch.IWidget]:
    outcomes = [custom_metric(metric) for metric in (JOBS_ACCEPTED, JOBS_RESOLVED, JOBS_FAILED)]
    by_code = cloudwatch.MathExpression(
        expression=f"SEARCH('{FAILED_BY_CODE}', 'Sum', 300)", using_metrics={}, label="", period=FIVE_MINUTES
    )
    ages = [custom_metric(AGE_AT_RESOLUTION, statistic) for statistic in ("p50", "p95", "p99")]
    return [
        _graph("Jobs accepted, resolved, failed", outcomes),
        _graph("Failed, by code", [by_code]),
        _graph("Time from call to result (ms)", ages),
    ]


def _calls() -> list[cloudwatch.IWidget]:
    """Show latency per call. A live stream lasts up to 14 minutes and would dominate a common statistic."""
    counts = [api_metric(name) for name in ("Count", "4XXError", "5XXError")]
    latencies = [call_metric("Latency", "p99", method=method, path=path) for method, path in CALLS]
    return [_graph("Calls, 4xx, 5xx", counts), _graph("Latency of calls, p99 (ms)", latencies)]


def _relay() -> list[cloudwatch.IWidget]:
    streams = [custom_metric(CONNECTIONS, "Average"), custom_metric(STREAMS_DROPPED)]
    return [
        _graph("Connections per relay, and streams dropped for lagging", streams),
        _graph(
            "Time from change to viewer (s)", [custom_metric(FEED_LAG, "p50"), custom_metric(FEED_LAG, "p95")]
        ),
    ]


def _queues(watched: Watched) -> list[cloudwatch.IWidget]:
    depths, ages = (
        [queue_metric(watched.queue(name), metric, label=name) for name in watched.queue_ids]
        for metric in ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")
    )
    late_jobs = [custom_metric(JOBS_DEFERRED), custom_metric(JOBS_RESCUED), custom_metric(JOBS_LOST)]
    watchdog = [custom_metric(JOBS_SCHEDULED), custom_metric(WATCHDOG_BEHIND)]
    return [
        _graph("Messages waiting", depths),
        _graph("Age of oldest message (s)", ages),
        _graph("Jobs deferred, rescued, lost", late_jobs),
        _graph("Jobs created by schedules, and runs of the watchdog that were too short", watchdog),
    ]


def _kind(kind: DeployedKind, watched: Watched) -> list[cloudwatch.IWidget]:
    """Show a kind in a row, with metrics that are free: custom metrics by kind would be charged for each."""
    queue = watched.queue(f"Jobs{kind.construct_name}")
    worker = watched.function(f"JobWorker{kind.construct_name}")
    messages = [
        queue_metric(queue, f"ApproximateNumberOfMessages{name}")
        for name in ("Visible", "NotVisible", "Delayed")
    ]
    batches = [function_metric(worker, name) for name in ("Invocations", "Errors", "Throttles")]
    durations = [function_metric(worker, "Duration", statistic) for statistic in ("p50", "p95")]
    return [
        _graph(f"{kind.name}: messages waiting, in progress, delayed", messages),
        _graph(f"{kind.name}: batches, errors, throttles", batches),
        _graph(f"{kind.name}: time of a batch (ms)", durations),
    ]


def _functions(watched: Watched) -> list[cloudwatch.IWidget]:
    errors, durations = (
        [
            function_metric(watched.function(name), metric, statistic, label=name)
            for name in watched.function_ids
        ]
        for metric, statistic in (("Errors", "Sum"), ("Duration", "p95"))
    )
    return [_graph("Function errors", errors), _graph("Function duration, p95 (ms)", durations)]


def _publishing(watched: Watched) -> list[cloudwatch.IWidget]:
    names = ("Invocations", "ExecutionFailed", "ExecutionPartiallyFailed", "TargetStageFailed")
    pipe = [pipe_metric(watched.pipe, name) for name in names]
    age = function_metric(watched.function("JobCounter"), "IteratorAge", "Maximum")
    return [_graph("Pipe", pipe), _graph("Lag of counts (ms)", [age])]


def _webhooks(watched: Watched) -> list[cloudwatch.IWidget]:
    """Show waiting notices, most of which are attempts that failed before and wait for the next."""
    queue, sender = watched.queue("WebhookNotices"), watched.function("WebhookSender")
    waiting = [queue_metric(queue, f"ApproximateNumberOfMessages{name}") for name in ("Visible", "Delayed")]
    durations = [function_metric(sender, "Duration", statistic) for statistic in ("p50", "p95")]
    return [
        _graph(
            "Webhooks delivered, given up",
            [custom_metric(WEBHOOKS_DELIVERED), custom_metric(WEBHOOKS_GIVEN_UP)],
        ),
        _graph("Webhooks due, and waiting for the next attempt", waiting),
        _graph("Time of a batch of webhooks (ms)", durations),
    ]


def _budget(watched: Watched) -> list[cloudwatch.IWidget]:
    requests = [custom_metric(UNSPLASH_REQUESTS), custom_metric(JOBS_DEFERRED)]
    return [
        _graph(
            "Units remaining of each budget",
            [remaining_metric(name, label=name) for name in watched.kinds.budgets],
        ),
        _graph("Requests sent, and jobs deferred", requests),
        _graph("Spare photos per topic", [custom_metric(SPARE_PHOTOS, "Average")]),
    ]


def _labels(watched: Watched) -> cloudwatch.IWidget:
    """Show what is asked for: each topic of photos, for example, needs its own requests."""
    return cloudwatch.LogQueryWidget(
        title="Accepted jobs by kind and label",
        log_group_names=[watched.create_job_log],
        query_lines=[
            'filter message = "job accepted"',
            "stats count(*) as jobs by kind, label",
            "sort jobs desc",
            "limit 20",
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _callers(watched: Watched) -> cloudwatch.IWidget:
    return cloudwatch.LogQueryWidget(
        title="Addresses that create or retry jobs",
        log_group_names=[watched.api_log],
        query_lines=[
            'filter httpMethod = "POST"',
            "stats count(*) as calls by ip",
            "sort calls desc",
            "limit 20",
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )
