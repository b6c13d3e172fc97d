"""How far the jobs queue has been read. The watchdog considers a job lost if it is far behind."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.ledger import Ledger
from functions.common.observability import logger

STEP_MS = 10_000
"""Each worker writes at most once per step. The watchdog works in minutes."""


class Watermark:
    """When the newest message received so far was sent (epoch ms). It never decreases."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._written = 0

    def advance(self, records: list[dict[str, Any]]) -> None:
        """Record a batch of SQS records. A failure is only logged, because the next batch writes again."""
        newest = max(int(record["attributes"]["SentTimestamp"]) for record in records)
        if newest < self._written + STEP_MS:
            return
        try:
            self._ledger.raise_watermark(newest)
        except (BotoCoreError, ClientError):
            logger.warning("watermark not written", exc_info=True)
            return
        self._written = newest
