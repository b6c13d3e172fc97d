"""A relay that stops in order removes its queue and its subscription; this does it for one that could not."""

from typing import Any

from functions.common.observability import count, logger


class RelayJanitor:
    """Removes what belongs to a relay's name. Doing it again changes nothing."""

    def __init__(self, sqs: Any, sns: Any, topic_arn: str, queue_prefix: str) -> None:
        self._sqs = sqs
        self._sns = sns
        self._topic_arn = topic_arn
        self._queue_prefix = queue_prefix

    def remove(self, relay_name: str) -> None:
        """Remove the relay's subscription, then its queue. Raises botocore's errors."""
        queue = self._queue_prefix + relay_name
        removed = self._unsubscribe(queue) + self._delete(queue)
        count("OrphansRemoved", removed)
        logger.info("relay ended", extra={"queue": queue, "removed": removed})

    def _unsubscribe(self, queue: str) -> int:
        found = [
            subscription["SubscriptionArn"]
            for page in self._sns.get_paginator("list_subscriptions_by_topic").paginate(
                TopicArn=self._topic_arn
            )
            for subscription in page["Subscriptions"]
            if subscription["Endpoint"].rsplit(":", 1)[-1] == queue
        ]
        for arn in found:
            self._sns.unsubscribe(SubscriptionArn=arn)
        return len(found)

    def _delete(self, queue: str) -> int:
        try:
            url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            self._sqs.delete_queue(QueueUrl=url)
        except self._sqs.exceptions.QueueDoesNotExist:
            return 0
        return 1
