"""How far the jobs queue has been read, for the watchdog: a job far behind it has lost its message."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.attributes import to_attribute, to_item
from functions.common.ledger import WATERMARK_KEY
from functions.common.observability import logger

STEP_MS = 10_000
"""Written no more often than this by each worker; the watchdog thinks in minutes."""


class Watermark:
    """When the newest message received so far was sent; it only grows."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._written = 0

    def advance(self, records: list[dict[str, Any]]) -> None:
        """Note a batch of SQS records. A failure is only logged: the next batch notes as much."""
        newest = max(int(record["attributes"]["SentTimestamp"]) for record in records)
        if newest < self._written + STEP_MS:
            return
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"pk": to_attribute(WATERMARK_KEY)},
                UpdateExpression="SET sent_at = :newest",
                ConditionExpression="attribute_not_exists(sent_at) OR sent_at < :newest",
                ExpressionAttributeValues=to_item({":newest": newest}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            pass
        except (BotoCoreError, ClientError):
            logger.warning("watermark not written", exc_info=True)
            return
        self._written = newest
