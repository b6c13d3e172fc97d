"""One page that answers: is it healthy, where is it stuck, who is spending the budget."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.metrics import (
    AGE_AT_RESOLUTION,
    BUDGET_REMAINING,
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
    SPARE_PHOTOS,
    STREAMS_DROPPED,
    UNSPLASH_REQUESTS,
    api_metric,
    function_metric,
    pipe_metric,
    queue_metric,
    signal,
)
from infra.constructs.watched import Watched

WIDTH = 24
"""Columns that CloudWatch gives a row."""
HEIGHT = 6
CALLS = (
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("GET", "/jobs/{id}"),
    ("DELETE", "/jobs/{id}"),
    ("POST", "/jobs/{id}/retry"),
    ("GET", "/stats"),
)
"""Those with a latency worth watching."""


class Dashboard(cloudwatch.Dashboard):
    """Three headings, each with the graphs that answer it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, alarms: list[cloudwatch.Alarm], watched: Watched
    ) -> None:
        super().__init__(scope, construct_id, default_interval=Duration.hours(3))
        self._heading("Is it healthy?")
        self.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=WIDTH, height=HEIGHT)
        )
        self.add_widgets(*_jobs(), *_answers(), *(_live() if watched.live is not None else []))
        self._heading("Where is it stuck?")
        self.add_widgets(*_queues(watched), *_functions(watched), *_changes(watched))
        self._heading("Who is spending the budget?")
        self.add_widgets(*_budget(), _topics(watched), _callers(watched))

    def _heading(self, text: str) -> None:
        self.add_widgets(cloudwatch.TextWidget(markdown=f"## {text}", width=WIDTH, height=1))


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH // 3, height=HEIGHT)


def _jobs() -> list[cloudwatch.IWidget]:
    endings = [signal(name) for name in (JOBS_ACCEPTED, JOBS_RESOLVED, JOBS_FAILED)]
    by_code = cloudwatch.MathExpression(
        expression=f"SEARCH('{FAILED_BY_CODE}', 'Sum', 300)", using_metrics={}, label="", period=FIVE_MINUTES
    )
    ages = [signal(AGE_AT_RESOLUTION, statistic) for statistic in ("p50", "p95", "p99")]
    return [
        _graph("Jobs accepted, resolved, failed", endings),
        _graph("Failed, by code", [by_code]),
        _graph("From the call to the result (ms)", ages),
    ]


def _answers() -> list[cloudwatch.IWidget]:
    """Latency by call: a stream lasts up to 14 minutes, and in a sum it would hide all others."""
    calls = [api_metric(name) for name in ("Count", "4XXError", "5XXError")]
    latency = [api_metric("Latency", "p99", method, path) for method, path in CALLS]
    return [_graph("Calls, 4xx, 5xx", calls), _graph("Latency of calls, p99 (ms)", latency)]


def _live() -> list[cloudwatch.IWidget]:
    streams = [signal(CONNECTIONS, "Average"), signal(STREAMS_DROPPED)]
    return [
        _graph("Connections of a relay, and streams that lagged too far", streams),
        _graph("From a change to the viewer (s)", [signal(FEED_LAG, "p50"), signal(FEED_LAG, "p95")]),
    ]


def _queues(watched: Watched) -> list[cloudwatch.IWidget]:
    depth, ages = (
        [queue_metric(watched.queue(name), metric, label=name) for name in watched.queue_ids]
        for metric in ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")
    )
    found = [signal(JOBS_DEFERRED), signal(JOBS_RESCUED), signal(JOBS_LOST)]
    return [
        _graph("Messages waiting", depth),
        _graph("Oldest message (s)", ages),
        _graph("Jobs deferred, rescued, lost", found),
    ]


def _functions(watched: Watched) -> list[cloudwatch.IWidget]:
    errors, times = (
        [
            function_metric(watched.function(name), metric, statistic, label=name)
            for name in watched.function_ids
        ]
        for metric, statistic in (("Errors", "Sum"), ("Duration", "p95"))
    )
    return [_graph("Errors of functions", errors), _graph("Time of functions, p95 (ms)", times)]


def _changes(watched: Watched) -> list[cloudwatch.IWidget]:
    names = ("Invocations", "ExecutionFailed", "ExecutionPartiallyFailed", "TargetStageFailed")
    pipe = [pipe_metric(watched.pipe, name) for name in names]
    age = function_metric(watched.function("JobCounter"), "IteratorAge", "Maximum")
    return [_graph("Pipe", pipe), _graph("How far counts lag (ms)", [age])]


def _budget() -> list[cloudwatch.IWidget]:
    return [
        _graph("Requests left of the hour's", [signal(BUDGET_REMAINING, "Minimum")]),
        _graph(
            "Requests made, and jobs that had to wait", [signal(UNSPLASH_REQUESTS), signal(JOBS_DEFERRED)]
        ),
        _graph("Spare photos of the topics asked for", [signal(SPARE_PHOTOS, "Average")]),
    ]


def _topics(watched: Watched) -> cloudwatch.IWidget:
    """Each topic costs requests of its own."""
    return cloudwatch.LogQueryWidget(
        title="Topics of accepted jobs",
        log_group_names=[watched.create_job_log],
        query_lines=[
            'filter message = "job accepted"',
            "stats count(*) as jobs by query",
            "sort jobs desc",
            "limit 20",
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _callers(watched: Watched) -> cloudwatch.IWidget:
    return cloudwatch.LogQueryWidget(
        title="Addresses that post",
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
