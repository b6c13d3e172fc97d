"""What wakes somebody. Each alarm names the section of the runbook that says what to do."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.api_stack import ApiStack
from infra.jobs_stack import JobsStack
from infra.live_stack import LiveStack
from infra.signals import (
    BUDGET_REMAINING,
    FEED_LAG,
    FIVE_MINUTES,
    JOBS_FAILED,
    JOBS_LOST,
    JOBS_RESCUED,
    JOBS_RESOLVED,
    signal,
)

RUNBOOK = "Runbook: docs/operations.md#"
LONGEST_DELAY = 900
"""Seconds that a message of the jobs queue may be meant to wait."""
QUARTER = Duration.minutes(15)


class Alarms(Construct):
    """`all` are the alarms made so far; each tells the topic when it begins and when it is over."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.Topic) -> None:
        super().__init__(scope, construct_id)
        self.all: list[cloudwatch.Alarm] = []
        self._action = actions.SnsAction(topic)

    def of_jobs(self, jobs: JobsStack) -> None:
        """Work that fails, waits or is lost."""
        self._queues(jobs)
        self._endings()
        self._publishing(jobs)
        age = jobs.job_counter.metric("IteratorAge", statistic="Maximum", period=FIVE_MINUTES)
        self._when("CounterBehind", age, "Counts lag more than five minutes.", "counts-lag", 300_000, (3, 3))
        for function in jobs.functions:
            self._function(function)

    def of_api(self, api: ApiStack) -> None:
        """Callers who get no answer."""
        errors = api.api.metric_server_error(statistic="Sum", period=FIVE_MINUTES)
        self._when("ApiErrors", errors, "The API answers 5xx.", "api-errors", 5, (2, 3))
        for function in api.functions:
            self._function(function)

    def of_live(self, live: LiveStack) -> None:
        """Viewers who see nothing, or see it late."""
        unhealthy = live.target_group.metrics.unhealthy_host_count(
            statistic="Maximum", period=Duration.minutes(1)
        )
        self._when(
            "RelayUnhealthy", unhealthy, "A relay fails its health check.", "relay-unhealthy", 1, (5, 5)
        )
        lag = signal(FEED_LAG, "p95")
        self._when("LiveLate", lag, "Live events come ten seconds late.", "live-events-late", 10, (3, 3))
        left = live.undelivered.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=FIVE_MINUTES
        )
        self._when(
            "RelayNotTidied", left, "A stopped relay's queue was not removed.", "relay-not-tidied", 1, (1, 1)
        )
        self._function(live.janitor)

    def _queues(self, jobs: JobsStack) -> None:
        dead = jobs.queues.dead_letters.metric_approximate_age_of_oldest_message(
            statistic="Maximum", period=FIVE_MINUTES
        )
        self._when(
            "DeadLettersStay", dead, "Dead letters that nobody ends.", "dead-letters-stay", 900, (1, 1)
        )
        waiting = jobs.queues.jobs.metric_approximate_age_of_oldest_message(
            statistic="Maximum", period=FIVE_MINUTES
        )
        limit = 2 * LONGEST_DELAY
        self._when("JobsWait", waiting, "Jobs wait longer than they should.", "jobs-wait", limit, (3, 3))
        results = jobs.queues.results.metric_approximate_age_of_oldest_message(
            statistic="Maximum", period=FIVE_MINUTES
        )
        self._when("ResultsWait", results, "Results are not written.", "results-wait", 300, (3, 3))

    def _endings(self) -> None:
        failing = cloudwatch.MathExpression(
            expression="IF(failed >= 10 AND failed > FILL(resolved, 0), 1, 0)",
            using_metrics={
                "failed": signal(JOBS_FAILED, period=QUARTER),
                "resolved": signal(JOBS_RESOLVED, period=QUARTER),
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

    def _publishing(self, jobs: JobsStack) -> None:
        left = jobs.publishing.undelivered.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=FIVE_MINUTES
        )
        self._when(
            "ChangesUndelivered", left, "Changes that no viewer saw.", "changes-undelivered", 1, (1, 1)
        )
        failed = cloudwatch.MathExpression(
            expression="failed + timed_out + throttled",
            using_metrics={
                "failed": jobs.publishing.metric("ExecutionFailed"),
                "timed_out": jobs.publishing.metric("ExecutionTimeout"),
                "throttled": jobs.publishing.metric("ExecutionThrottled"),
            },
            period=FIVE_MINUTES,
        )
        self._when("PipeFails", failed, "The Pipe cannot publish changes.", "pipe-fails", 1, (2, 3))

    def _function(self, function: lambda_.Function) -> None:
        name = function.node.id
        errors = function.metric_errors(period=FIVE_MINUTES)
        self._when(f"{name}Errors", errors, f"{name} raises errors.", "function-errors", 1, (2, 3))
        throttles = function.metric_throttles(period=FIVE_MINUTES)
        self._when(f"{name}Throttles", throttles, f"{name} may not run.", "function-throttles", 1, (2, 3))

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
        """An alarm once so many of the last periods reach the threshold. No data is good news: counters are
        written only when there is something to count."""
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
