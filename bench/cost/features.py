"""What single features cost: a kind that is not used, a budget, writes of progress, webhooks."""

from bench.cost import QUEUE_REQUESTS, TIMES, WEBHOOK_LOG_GB, Amount, Size, invocations
from bench.prices import PRICES


def idle_kind(size: Size) -> float:
    """Return the dollars per month of a kind that is not used and has no budgets and secrets."""
    alarms = size.kind_alarms * PRICES["alarm_metric"].usd
    return alarms + QUEUE_REQUESTS * PRICES["sqs_request"].usd


def idle_budget(size: Size) -> float:
    """Return the dollars per month of a budget: its alarm and its metric."""
    metrics = 1 if size.metrics else 0
    return size.budget_alarms * PRICES["alarm_metric"].usd + metrics * PRICES["metric"].usd


def progress_writes(size: Size, kilobytes: int) -> float:
    """Return the dollars of a million writes of progress, one by one, to jobs of this size."""
    amounts: list[Amount] = [
        ("DynamoDB", "write_unit", kilobytes),  # an update is charged for the whole item; no index changes
        *invocations("job_counter", 1, TIMES["job_counter"]),
        ("SNS and Pipe", "pipe_request", 1),
        ("SNS and Pipe", "sns_publish", 1),
        ("SQS", "sqs_request", 2 * size.tasks),
    ]
    return 1e6 * sum(PRICES[priced].usd * amount for _, priced, amount in amounts)


def webhooks() -> float:
    """Return the dollars of a million webhooks that are delivered at the first attempt, one by one."""
    amounts: list[Amount] = [
        ("DynamoDB", "write_unit", 2),  # the claim and the record of the attempt
        ("DynamoDB", "read_unit", 2),  # the receiver and the number of the owner's secret
        ("SQS", "sqs_request", 3),  # sent by the topic, received, deleted
        *invocations("webhook_sender", 1, TIMES["webhook_sender"]),
        ("CloudWatch", "log_gb", WEBHOOK_LOG_GB),
    ]
    return 1e6 * sum(PRICES[priced].usd * amount for _, priced, amount in amounts)
