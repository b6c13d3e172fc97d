"""What wakes somebody. Each alarm names the section of the runbook that says what to do."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.metrics import (
    BUDGET_REMAINING,
    FEED_LAG,
    JOBS_LOST,
    JOBS_RESCUED,
    api_metric,
    function_metric,
    pipe_metric,
    queue_metric,
    signal,
)
from infra.constructs.watched import Watched
from infra.stacks.base import CaloStack
from infra.stacks.live import LiveStack

RUNBOOK = "Runbook: docs/operations.md#"
LONGEST_DELAY = 900
"""Seconds that a message of the jobs queue may be meant to wait."""
QUARTER = Duration.minutes(15)
FEW = frozenset(
    {
        "JobsFail", "JobsWait", "ResultsWait", "DeadLettersStay", "ChangesUndelivered", "PipeFails",
        "CounterBehind", "JobWatchdogErrors", "ApiErrors", "RelayUnhealthy",
    }
)  # fmt: skip
"""The alarms of the setting `alarms=few`: work, answers or live events fail. None needs a custom metric."""


class Alarms(Construct):
    """`all` are the alarms made so far; each notifies the topic when it begins and when it clears."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.Topic, few: bool) -> None:
        super().__init__(scope, construct_id)
        self.all: list[cloudwatch.Alarm] = []
        self._few = few
        self._action = actions.SnsAction(topic)

    def add(self, watched: Watched) -> None:
        """Make all of them, or the few."""
        self._queues(watched)
        self._endings(watched)
        self._publishing(watched)
        age = function_metric(watched.function("JobCounter"), "IteratorAge", "Maximum")
        self._when("CounterBehind", age, "Counts lag more than five minutes.", "counts-lag", 300_000, (3, 3))
        errors = api_metric("5XXError")
        self._when("ApiErrors", errors, "The API answers 5xx.", "api-errors", 5, (2, 3))
        for function in watched.function_ids:
            self._function(watched, function)
        if watched.live is not None:
            self._relay(watched.stack, watched.live)

    def _relay(self, stack: CaloStack, live: LiveStack) -> None:
        unhealthy = cloudwatch.Metric(
            namespace="AWS/ApplicationELB",
            metric_name="UnHealthyHostCount",
            dimensions_map={
                "LoadBalancer": stack.read(live, "load-balancer-metrics"),
                "TargetGroup": stack.read(live, "target-group-metrics"),
            },
            statistic="Maximum",
            period=Duration.minutes(1),
        )
        self._when(
            "RelayUnhealthy", unhealthy, "A relay fails its health check.", "relay-unhealthy", 1, (5, 5)
        )
        lag = signal(FEED_LAG, "p95")
        self._when("LiveLate", lag, "Live events come ten seconds late.", "live-events-late", 10, (3, 3))
        if self._wants("RelayNotTidied"):
            self._janitor(
                stack.read(live, "function/RelayJanitor"), stack.read(live, "queue/RelayUndelivered")
            )

    def _janitor(self, function: str, undelivered: str) -> None:
        orphans = _waiting(undelivered)
        means = "A stopped relay's queue was not removed."
        self._when("RelayNotTidied", orphans, means, "relay-not-tidied", 1, (1, 1))
        self._errors("RelayJanitor", function)
        self._throttles("RelayJanitor", function)

    def _queues(self, watched: Watched) -> None:
        dead = _oldest(watched.queue("DeadLetters"))
        self._when("DeadLettersStay", dead, "Dead letters are not handled.", "dead-letters-stay", 900, (1, 1))
        limit = 2 * LONGEST_DELAY
        waiting = _oldest(watched.queue("Jobs"))
        self._when("JobsWait", waiting, "Jobs wait longer than they should.", "jobs-wait", limit, (3, 3))
        results = _oldest(watched.queue("Results"))
        self._when("ResultsWait", results, "Results are not written.", "results-wait", 300, (3, 3))

    def _endings(self, watched: Watched) -> None:
        failing = cloudwatch.MathExpression(
            expression="IF(failed >= 10 AND failed > FILL(resolved, 0), 1, 0)",
            using_metrics={
                "failed": _handled(watched.queue("DeadLetters")),
                "resolved": _handled(watched.queue("Results")),
            },
            period=QUARTER,
        )
        self._when("JobsFail", failing, "Most jobs end as dead letters.", "dead-letters", 1, (1, 1))
        rescued, lost = signal(JOBS_RESCUED), signal(JOBS_LOST)
        self._when("JobsRescued", rescued, "The watchdog found lost jobs.", "watchdog-finds", 1, (1, 1))
        self._when("JobsLost", lost, "The watchdog gave jobs up.", "watchdog-finds", 1, (1, 1))
        self._when(
            "BudgetSpent",
            signal(BUDGET_REMAINING, "Minimum", QUARTER),
            "The third party's budget has been spent for an hour, and jobs ask for more.",
            "budget-spent",
            0,
            (4, 4),
            cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
        )

    def _publishing(self, watched: Watched) -> None:
        undelivered = _waiting(watched.queue("Undelivered"))
        self._when(
            "ChangesUndelivered", undelivered, "Viewers missed changes.", "changes-undelivered", 1, (1, 1)
        )
        failures = ("ExecutionFailed", "ExecutionPartiallyFailed", "ExecutionTimeout", "ExecutionThrottled")
        metrics = {f"m{number}": pipe_metric(watched.pipe, name) for number, name in enumerate(failures)}
        # a sum with a metric that has no data has no data either
        failed = cloudwatch.MathExpression(
            expression=" + ".join(f"FILL({name}, 0)" for name in metrics), using_metrics=metrics
        )
        self._when("PipeFails", failed, "The Pipe cannot publish changes.", "pipe-fails", 1, (2, 3))

    def _function(self, watched: Watched, function: str) -> None:
        if self._wants(f"{function}Errors"):
            self._errors(function, watched.function(function))
        if self._wants(f"{function}Throttles"):
            self._throttles(function, watched.function(function))

    def _wants(self, name: str) -> bool:
        """Ask before reading a name from another stack: a parameter that is not used is a finding."""
        return not self._few or name in FEW

    def _errors(self, function: str, name: str) -> None:
        errors = function_metric(name, "Errors")
        self._when(f"{function}Errors", errors, f"{function} raises errors.", "function-errors", 1, (2, 3))

    def _throttles(self, function: str, name: str) -> None:
        throttles = function_metric(name, "Throttles")
        means = f"{function} may not run."
        self._when(f"{function}Throttles", throttles, means, "function-throttles", 1, (2, 3))

    def _when(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        means: str,
        section: str,
        threshold: float,
        periods: tuple[int, int],
        comparison: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
    ) -> None:
        """An alarm once so many of the last periods reach the threshold.

        Missing data counts as OK: counters are written only when there is something to count.
        """
        if not self._wants(name):
            return
        reached, of = periods
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{means} {RUNBOOK}{section}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            datapoints_to_alarm=reached,
            evaluation_periods=of,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.all.append(alarm)


def _oldest(queue: str) -> cloudwatch.Metric:
    """Seconds."""
    return queue_metric(queue, "ApproximateAgeOfOldestMessage")


def _waiting(queue: str) -> cloudwatch.Metric:
    return queue_metric(queue, "ApproximateNumberOfMessagesVisible")


def _handled(queue: str) -> cloudwatch.Metric:
    """Messages that a worker has finished with in a quarter of an hour."""
    return queue_metric(queue, "NumberOfMessagesDeleted", "Sum", period=QUARTER)
