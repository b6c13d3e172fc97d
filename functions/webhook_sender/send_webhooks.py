"""Call the webhooks of jobs that have ended: at least once, and never with an older ending after a newer one.

A notice is deleted only when it is done, or when its successor was sent: a later attempt, a copy that waits,
or a dead letter. The job's item in the ledger (deliveries.py) says whether it is done, so of several notices
about the same attempt only one has an effect. SQS delays a message for 15 minutes at most, so a notice that
waits longer is copied until it is due.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from math import ceil
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from standardwebhooks.webhooks import Webhook

from functions.common.clock import Clock
from functions.common.deliveries import Deliveries, DeliveryState, Entry
from functions.common.errors import Poison
from functions.common.http.destinations import NotAllowed
from functions.common.messages import job_message, log_fields
from functions.common.notice import Notice, parse_notice
from functions.common.observability import count, logger
from functions.common.queues import MAX_DELAY_SECONDS, Queue
from functions.webhook_sender.receivers import Receivers, receiver_name

RETRY_SECONDS = (5, 30, 5 * 60, 30 * 60, 2 * 3600, 8 * 3600, 11 * 3600)
"""The waits between the attempts of a delivery. After the last attempt it is a dead letter."""
TIMEOUT_SECONDS = 10
"""The time for the whole exchange with a receiver."""
MAX_WAIT_MS = 24 * 3600 * 1000
"""How long a notice waits for a slow receiver at most."""
SPREAD_MS = 60_000
"""Notices that wait for the same receiver come back at different times within this span."""
START_MS = 20_000
"""A request must begin this soon after its claim, so that it ends before the claim does."""
BUSY_MS = 1000 * TIMEOUT_SECONDS
"""When to look again at a job that another sender is busy with."""
EARLY_MS = 1000
"""How much earlier than it is due a notice may be handled: clocks differ."""
BATCH = 10
"""Notices that are handled in parallel."""

Outcome = Literal["delivered", "failed", "given up", "waits", "done", "retry"]
Post = Callable[[str, dict[str, str], bytes], int]
"""Send a POST and return the status. Raises requests.RequestException or NotAllowed."""


@dataclass(frozen=True)
class WebhookSender:
    """Handles notices. `secrets` returns the active secrets of an owner; `monotonic` is in seconds.

    `queue` is that of the notices, `dead_letters` gets those that are given up. `uniform` returns a random
    number between its arguments.
    """

    deliveries: Deliveries
    receivers: Receivers
    queue: Queue
    dead_letters: Queue
    secrets: Callable[[str], list[str]]
    post: Post
    clock: Clock
    monotonic: Callable[[], float]
    uniform: Callable[[float, float], float]

    def send(self, records: list[dict[str, Any]]) -> set[str]:
        """Handle a batch in parallel. Return the ids of the messages that must be redelivered."""
        with ThreadPoolExecutor(BATCH) as pool:
            outcomes = list(pool.map(self._try_handle, records))
        counts = Counter(outcomes)
        count("WebhooksDelivered", counts["delivered"])
        count("WebhooksGivenUp", counts["given up"])
        return {
            record["messageId"]
            for record, outcome in zip(records, outcomes, strict=True)
            if outcome == "retry"
        }

    def _try_handle(self, record: dict[str, Any]) -> Outcome:
        try:
            notice = parse_notice(record["body"])
            return "done" if notice is None else self._handle(notice)
        except Poison as reason:  # after some receives it is a dead letter
            logger.error(
                "notice not readable", extra={"message_id": record["messageId"], "reason": str(reason)}
            )
        except Exception:  # noqa: BLE001  # one notice must not affect the others
            logger.exception("notice not handled", extra={"message_id": record["messageId"]})
        return "retry"

    def _handle(self, notice: Notice) -> Outcome:
        now = self.clock()
        if notice.due_at > now + EARLY_MS:
            return self._wait(notice, notice.due_at)
        notice = replace(notice, since=notice.since or now)
        receiver = self.receivers.admit(receiver_name(notice.job), now)
        may_ask = receiver.wait_until is None
        if receiver.wait_until is not None and now - notice.since < MAX_WAIT_MS:
            return self._wait(notice, receiver.wait_until + round(self.uniform(0, SPREAD_MS)))
        secrets = self.secrets(notice.job.owner)
        now = self.clock()
        claimed = self.deliveries.claim(notice, now)
        if claimed is None:
            return self._wait_for_claim(notice, now)
        if self.clock() > now + START_MS:
            return "retry"
        if not may_ask:
            return self._record(
                notice, claimed, _entry(now, False, "not asked: it was too slow for a day"), last=True
            )
        start = self.monotonic()
        entry = self._ask(notice, secrets)
        seconds = self.monotonic() - start
        outcome = self._record(notice, claimed, entry, last=notice.attempts == len(RETRY_SECONDS))
        self.receivers.report(receiver, seconds, failed=entry["status"] == "failed", now=self.clock())
        return outcome

    def _wait_for_claim(self, notice: Notice, now: int) -> Outcome:
        """Drop a notice that is done. Otherwise another sender is busy with the job: look again later.

        The notice itself must not be dropped, because the other sender may have received the same message.
        """
        state = self.deliveries.state(notice.job.id)
        if state is not None and state.is_done(notice):
            return "done"
        return self._wait(notice, now + BUSY_MS)

    def _wait(self, notice: Notice, due_at: int) -> Outcome:
        self._send_later(replace(notice, due_at=due_at))
        return "waits"

    def _send_later(self, notice: Notice) -> None:
        seconds = ceil((notice.due_at - self.clock()) / 1000)
        self.queue.send(notice.body(), min(max(0, seconds), MAX_DELAY_SECONDS))

    def _ask(self, notice: Notice, secrets: list[str]) -> Entry:
        """Call the webhook. Return the entry for the attempt."""
        now = self.clock()
        payload = notice.payload
        headers = signed_headers(notice.webhook_id, now, payload, secrets)
        try:
            status = self.post(notice.job.notify or "", headers, payload.encode())
        except NotAllowed as reason:  # the address is not shown: it may be that of a private network
            logger.info("receiver not allowed", extra={"reason": str(reason)})
            return _entry(now, False, "its address is not public")
        except requests.Timeout:
            return _entry(now, False, f"no answer within {TIMEOUT_SECONDS} seconds")
        except requests.exceptions.SSLError:
            return _entry(now, False, "the certificate is not valid")
        except (requests.RequestException, ValueError) as error:
            logger.info("receiver not reached", extra={"reason": str(error)})
            return _entry(now, False, "it could not be reached")
        return _entry(now, 200 <= status < 300, _describe(status))

    def _record(self, notice: Notice, claimed: DeliveryState, entry: Entry, *, last: bool) -> Outcome:
        """Send the successor of a failed attempt, then record the attempt.

        In this order: if the record is missing, the attempt is repeated, and the second successor is dropped.
        """
        next_at: int | None = None
        outcome: Outcome = "delivered"
        if entry["status"] == "failed" and last:
            outcome = "given up"
            self.dead_letters.send(_renewed(notice).body())
        elif entry["status"] == "failed":
            outcome, next_at = "failed", self.clock() + 1000 * RETRY_SECONDS[notice.attempts]
            self._send_later(replace(notice, attempts=notice.attempts + 1, due_at=next_at))
        is_recorded = self.deliveries.record(notice, claimed, entry, next_at)
        logger.info(
            f"webhook {outcome}",
            extra=log_fields(
                job_message(notice.job),
                host=urlsplit(notice.job.notify or "").netloc,
                attempt=notice.attempts + 1,
                answer=entry["answer"],
                recorded=is_recorded,
            ),
        )
        return outcome


def _renewed(notice: Notice) -> Notice:
    """Return the notice for a new delivery of the same ending, which operators may start later."""
    return replace(notice, requested=notice.requested + 1, attempts=0, due_at=0, since=0)


def signed_headers(webhook_id: str, now: int, payload: str, secrets: list[str]) -> dict[str, str]:
    """Return the headers of Standard Webhooks, with a signature for each secret:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    sent_at = datetime.fromtimestamp(now // 1000, UTC)
    signatures = [Webhook(secret).sign(webhook_id, sent_at, payload) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Calo",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now // 1000),
        "webhook-signature": " ".join(signatures),
    }


def _entry(at: int, delivered: bool, answer: str) -> Entry:
    return {"at": at, "status": "delivered" if delivered else "failed", "answer": answer}


def _describe(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
