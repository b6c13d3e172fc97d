"""The CloudWatch alarms. The description of each alarm names a section of the runbook."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.common.kind import Budget
from infra.constructs.metrics import (
    FEED_LAG,
    JOBS_LOST,
    JOBS_RESCUED,
    WATCHDOG_BEHIND,
    age_of_oldest_message,
    api_metric,
    custom_metric,
    damaged_metrics,
    deleted_messages,
    function_metric,
    pipe_metric,
    remaining_metric,
    unhealthy_hosts,
    visible_messages,
)
from infra.constructs.queues import visibility_timeout
from infra.constructs.watched import Read, Watched
from infra.names import construct_name
from infra.settings import SQS_MAX_DELAY

RUNBOOK = "Runbook: docs/operations.md#"
QUARTER_HOUR = Duration.minutes(15)
FEW = frozenset(
    {
        "JobsFail", "ResultsWait", "DeadLettersStay", "ChangesUndelivered", "PipeFails",
        "CounterBehind", "JobWatchdogErrors", "ApiErrors", "RelayUnhealthy", "WebhooksGivenUp",
    }
)  # fmt: skip
"""The alarms of the setting `alarms=few`, beside JobsWait for each kind: failures of jobs, API calls, live
events or webhooks. They do not need custom metrics."""
JOBS_WAIT = "JobsWait"
"""The alarms of the kinds' queues begin with this."""


class Alarms(Construct):
    """The alarms, in the list `all`. Each notifies the topic when it starts and when it clears."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.Topic, few: bool) -> None:
        super().__init__(scope, construct_id)
        self.all: list[cloudwatch.Alarm] = []
        self._few = few
        self._action = actions.SnsAction(topic)

    def add(self, watched: Watched) -> None:
        """Create all alarms, or only those in `FEW`."""
        self._add_queues(watched)
        self._add_failures(watched)
        self._add_damaged()
        self._add_publishing(watched)
        if watched.has_webhooks:
            self._add_webhooks(watched)
        self._add_alarm(
            "CounterBehind",
            metric=function_metric(watched.function("JobCounter"), "IteratorAge", "Maximum"),
            description="Counts lag by more than five minutes.",
            section="counts-lag",
            threshold=300_000,
            periods=(3, 3),
        )
        self._add_alarm(
            "ApiErrors",
            metric=api_metric("5XXError"),
            description="The API responds with 5xx.",
            section="api-errors",
            threshold=5,
            periods=(2, 3),
        )
        for function in watched.function_ids:
            if self._includes(f"{function}Errors"):
                self._add_errors(function, watched.function(function))
            if self._includes(f"{function}Throttles"):
                self._add_throttles(function, watched.function(function))
        if watched.read_live is not None:
            self._add_relay(watched.read_live)

    def _add_queues(self, watched: Watched) -> None:
        self._add_alarm(
            "DeadLettersStay",
            metric=age_of_oldest_message(watched.queue("DeadLetters")),
            description="Dead letters are not processed.",
            section="dead-letters-stay",
            threshold=QUARTER_HOUR.to_seconds(),
            periods=(1, 1),
        )
        for kind in watched.kinds.deployed.values():
            self._add_alarm(
                f"{JOBS_WAIT}{kind.construct_name}",
                metric=age_of_oldest_message(watched.queue(f"Jobs{kind.construct_name}")),
                description=f"Jobs of kind {kind.name} wait longer than expected.",
                section="jobs-wait",
                # a message is older if it was delayed, or is delivered again because its worker has crashed
                threshold=2 * max(SQS_MAX_DELAY, visibility_timeout(kind)),
                periods=(3, 3),
            )
        self._add_alarm(
            "ResultsWait",
            metric=age_of_oldest_message(watched.queue("Results")),
            description="Results are not written to the table.",
            section="results-wait",
            threshold=300,
            periods=(3, 3),
        )

    def _add_failures(self, watched: Watched) -> None:
        failing = cloudwatch.MathExpression(
            expression="IF(failed >= 10 AND failed > FILL(resolved, 0), 1, 0)",
            using_metrics={
                "failed": deleted_messages(watched.queue("DeadLetters"), QUARTER_HOUR),
                "resolved": deleted_messages(watched.queue("Results"), QUARTER_HOUR),
            },
            period=QUARTER_HOUR,
        )
        self._add_alarm(
            "JobsFail",
            metric=failing,
            description="Most jobs fail.",
            section="dead-letters",
            threshold=1,
            periods=(1, 1),
        )
        self._add_watchdog()
        for budget in watched.kinds.budgets.values():
            self._add_budget(budget)

    def _add_watchdog(self) -> None:
        self._add_alarm(
            "JobsRescued",
            metric=custom_metric(JOBS_RESCUED),
            description="The watchdog requeued lost jobs.",
            section="watchdog-finds",
            threshold=1,
            periods=(1, 1),
        )
        self._add_alarm(
            "JobsLost",
            metric=custom_metric(JOBS_LOST),
            description="The watchdog ended lost jobs as failed.",
            section="watchdog-finds",
            threshold=1,
            periods=(1, 1),
        )
        self._add_alarm(
            "WatchdogBehind",
            metric=custom_metric(WATCHDOG_BEHIND),
            description="The watchdog has not kept up with due jobs and schedules for a quarter of an hour.",
            section="watchdog-behind",
            threshold=1,
            periods=(3, 3),
        )

    def _add_budget(self, budget: Budget) -> None:
        self._add_alarm(
            f"BudgetSpent{construct_name(budget.name)}",
            metric=remaining_metric(budget.name, period=QUARTER_HOUR),
            description=f"The budget {budget.name} has been exhausted for an hour, and jobs wait.",
            section="budget-spent",
            threshold=0,
            periods=(4, 4),
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
        )

    def _add_publishing(self, watched: Watched) -> None:
        self._add_alarm(
            "ChangesUndelivered",
            metric=visible_messages(watched.queue("Undelivered")),
            description="Changes were not delivered to viewers.",
            section="changes-undelivered",
            threshold=1,
            periods=(1, 1),
        )
        failures = ["ExecutionFailed", "ExecutionPartiallyFailed"]
        if not self._few:  # each metric is charged; if the Pipe gives up, ChangesUndelivered reports it
            failures += ["ExecutionTimeout", "ExecutionThrottled"]
        self._add_alarm(
            "PipeFails",
            metric=_sum([pipe_metric(watched.pipe, name) for name in failures]),
            description="The Pipe cannot publish changes.",
            section="pipe-fails",
            threshold=1,
            periods=(2, 3),
        )

    def _add_webhooks(self, watched: Watched) -> None:
        self._add_alarm(
            "WebhooksGivenUp",
            metric=visible_messages(watched.queue("WebhookDeadLetters")),
            description="Webhooks were not delivered within a day.",
            section="webhooks-given-up",
            threshold=1,
            periods=(1, 1),
        )

    def _add_damaged(self) -> None:
        self._add_alarm(
            "Damaged",
            metric=_sum(damaged_metrics()),
            description="Stored data or messages could not be decoded and were left out.",
            section="damaged-data",
            threshold=1,
            periods=(1, 1),
        )

    def _add_relay(self, read: Read) -> None:
        self._add_alarm(
            "RelayUnhealthy",
            metric=unhealthy_hosts(read("load-balancer-metrics"), read("target-group-metrics")),
            description="A relay fails its health check.",
            section="relay-unhealthy",
            threshold=1,
            periods=(5, 5),
        )
        self._add_alarm(
            "LiveLate",
            metric=custom_metric(FEED_LAG, "p95"),
            description="Live events arrive more than ten seconds late.",
            section="live-events-late",
            threshold=10,
            periods=(3, 3),
        )
        if self._includes("RelayNotTidied"):
            self._add_janitor(read("function/RelayJanitor"), read("queue/RelayUndelivered"))

    def _add_janitor(self, function: str, undelivered: str) -> None:
        self._add_alarm(
            "RelayNotTidied",
            metric=visible_messages(undelivered),
            description="A stopped relay's queue was not deleted.",
            section="relay-not-tidied",
            threshold=1,
            periods=(1, 1),
        )
        self._add_errors("RelayJanitor", function)
        self._add_throttles("RelayJanitor", function)

    def _add_errors(self, construct_id: str, function: str) -> None:
        self._add_alarm(
            f"{construct_id}Errors",
            metric=function_metric(function, "Errors"),
            description=f"{construct_id} raises errors.",
            section="function-errors",
            threshold=1,
            periods=(2, 3),
        )

    def _add_throttles(self, construct_id: str, function: str) -> None:
        self._add_alarm(
            f"{construct_id}Throttles",
            metric=function_metric(function, "Throttles"),
            description=f"Lambda throttles {construct_id}.",
            section="function-throttles",
            threshold=1,
            periods=(2, 3),
        )

    def _includes(self, name: str) -> bool:
        """Return whether to create this alarm. Check it before reading a name that only this alarm needs."""
        return not self._few or name in FEW or name.startswith(JOBS_WAIT)

    def _add_alarm(
        self,
        name: str,
        *,
        metric: cloudwatch.IMetric,
        description: str,
        section: str,
        threshold: float,
        periods: tuple[int, int],
        comparison: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
    ) -> None:
        """Create an alarm that starts when M of the last N periods reach the threshold; `periods` is (M, N).

        Missing data counts as OK, because counters are only written when there is something to count.
        """
        if not self._includes(name):
            return
        datapoints_to_alarm, evaluation_periods = periods
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{description} {RUNBOOK}{section}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            datapoints_to_alarm=datapoints_to_alarm,
            evaluation_periods=evaluation_periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.all.append(alarm)


def _sum(metrics: Iterable[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    """Return the sum. Without FILL, it has no data if one of the metrics has no data."""
    named = {f"m{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in named), using_metrics=named
    )
