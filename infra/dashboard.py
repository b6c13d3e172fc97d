"""One page that answers: is it healthy, where is it stuck, who is spending the budget."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.api_stack import ApiStack
from infra.jobs_stack import JobsStack
from infra.live_stack import LiveStack
from infra.signals import (
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
    signal,
)

WIDTH = 24
"""Columns that CloudWatch gives a row."""
HEIGHT = 6


class Dashboard(cloudwatch.Dashboard):
    """Three headings, each with the graphs that answer it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: list[cloudwatch.Alarm],
        jobs: JobsStack,
        api: ApiStack,
        live: LiveStack | None,
    ) -> None:
        super().__init__(scope, construct_id, default_interval=Duration.hours(3))
        self._heading("Is it healthy?")
        self.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=WIDTH, height=HEIGHT)
        )
        self.add_widgets(*_jobs(), *_answers(api), *(_live() if live is not None else []))
        self._heading("Where is it stuck?")
        self.add_widgets(*_queues(jobs), *_functions(jobs, api), *_changes(jobs))
        self._heading("Who is spending the budget?")
        self.add_widgets(*_budget(), _topics(api), _callers(api))

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


def _answers(api: ApiStack) -> list[cloudwatch.IWidget]:
    api_metrics = [
        api.api.metric_count(statistic="Sum", period=FIVE_MINUTES),
        api.api.metric_client_error(statistic="Sum", period=FIVE_MINUTES),
        api.api.metric_server_error(statistic="Sum", period=FIVE_MINUTES),
    ]
    latency = [
        api.api.metric_latency(statistic=statistic, period=FIVE_MINUTES) for statistic in ("p50", "p99")
    ]
    return [_graph("Calls, 4xx, 5xx", api_metrics), _graph("Latency of calls (ms)", latency)]


def _live() -> list[cloudwatch.IWidget]:
    streams = [signal(CONNECTIONS, "Average"), signal(STREAMS_DROPPED)]
    return [
        _graph("Connections of a relay, and streams that lagged too far", streams),
        _graph("From a change to the viewer (s)", [signal(FEED_LAG, "p50"), signal(FEED_LAG, "p95")]),
    ]


def _queues(jobs: JobsStack) -> list[cloudwatch.IWidget]:
    queues = [jobs.queues.jobs, jobs.queues.results, jobs.queues.dead_letters, jobs.publishing.undelivered]
    depth = [
        queue.metric_approximate_number_of_messages_visible(statistic="Maximum", label=queue.node.id)
        for queue in queues
    ]
    ages = [
        queue.metric_approximate_age_of_oldest_message(statistic="Maximum", label=queue.node.id)
        for queue in queues
    ]
    found = [signal(JOBS_DEFERRED), signal(JOBS_RESCUED), signal(JOBS_LOST)]
    return [
        _graph("Messages waiting", depth),
        _graph("Oldest message (s)", ages),
        _graph("Jobs deferred, rescued, lost", found),
    ]


def _functions(jobs: JobsStack, api: ApiStack) -> list[cloudwatch.IWidget]:
    functions = [*jobs.functions, *api.functions]
    return [
        _graph(
            "Errors of functions",
            [function.metric_errors(label=function.node.id) for function in functions],
        ),
        _graph(
            "Time of functions, p95 (ms)",
            [function.metric_duration(statistic="p95", label=function.node.id) for function in functions],
        ),
    ]


def _changes(jobs: JobsStack) -> list[cloudwatch.IWidget]:
    pipe = [jobs.publishing.metric(name) for name in ("Invocations", "ExecutionFailed", "TargetStageFailed")]
    age = jobs.job_counter.metric("IteratorAge", statistic="Maximum")
    return [_graph("Pipe", pipe), _graph("How far counts lag (ms)", [age])]


def _budget() -> list[cloudwatch.IWidget]:
    return [
        _graph("Requests left of the hour's", [signal(BUDGET_REMAINING, "Minimum")]),
        _graph(
            "Requests made, and jobs that had to wait", [signal(UNSPLASH_REQUESTS), signal(JOBS_DEFERRED)]
        ),
        _graph("Spare photos of the topics asked for", [signal(SPARE_PHOTOS, "Average")]),
    ]


def _topics(api: ApiStack) -> cloudwatch.IWidget:
    """Each topic costs requests of its own."""
    return cloudwatch.LogQueryWidget(
        title="Topics of accepted jobs",
        log_group_names=[api.create_job.log_group.log_group_name],
        query_lines=[
            'filter message = "job accepted"',
            "stats count(*) as jobs by query",
            "sort jobs desc",
            "limit 20",
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )


def _callers(api: ApiStack) -> cloudwatch.IWidget:
    return cloudwatch.LogQueryWidget(
        title="Addresses that post",
        log_group_names=[api.api.access_log.log_group_name],
        query_lines=[
            'filter httpMethod = "POST"',
            "stats count(*) as calls by ip",
            "sort calls desc",
            "limit 20",
        ],
        width=WIDTH // 2,
        height=HEIGHT,
    )
