"""Delete the queue and the subscription of a relay that ended without deleting them itself."""

from typing import TYPE_CHECKING

from functions.common.observability import count, logger

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient


class RelayJanitor:
    """Deletes the resources of a relay by its name. Deleting them again has no effect."""

    def __init__(self, sqs: "SQSClient", sns: "SNSClient", topic_arn: str, queue_prefix: str) -> None:
        self._sqs = sqs
        self._sns = sns
        self._topic_arn = topic_arn
        self._queue_prefix = queue_prefix

    def remove(self, relay_name: str) -> None:
        """Delete the relay's subscription, then its queue. Raises botocore's errors."""
        queue = self._queue_prefix + relay_name
        removed = self._unsubscribe(queue) + self._delete(queue)
        count("OrphansRemoved", removed)
        logger.info("relay cleaned up", extra={"queue": queue, "removed": removed})

    def _unsubscribe(self, queue: str) -> int:
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic_arn)
        arns = [
            subscription["SubscriptionArn"]
            for page in pages
            for subscription in page["Subscriptions"]
            if subscription["Endpoint"].rsplit(":", 1)[-1] == queue
        ]
        for arn in arns:
            self._sns.unsubscribe(SubscriptionArn=arn)
        return len(arns)

    def _delete(self, queue: str) -> int:
        try:
            url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            self._sqs.delete_queue(QueueUrl=url)
        except self._sqs.exceptions.QueueDoesNotExist:
            return 0
        return 1
