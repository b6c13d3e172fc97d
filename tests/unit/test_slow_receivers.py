"""Webhooks whose receiver is slow: it is asked less often, and the others are not affected."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import requests

from functions.common.notice import Notice, parse_notice
from functions.webhook_sender.receivers import PAUSE_MS, SLOW_LIMIT, SLOW_SECONDS, Receivers
from functions.webhook_sender.send_webhooks import MAX_WAIT_MS
from tests.unit.factories import NOW, sqs_record
from tests.unit.webhook_desk import Desk, ending, make_ended


def slow_down(desk: Desk, answer: int | None = None, count: int = SLOW_LIMIT) -> None:
    desk.receiver.answers, desk.receiver.seconds = [answer or requests.Timeout("x")], 10
    for _ in range(count):
        desk.end(make_ended())
    desk.run()
    desk.sent.clear()
    desk.receiver.received.clear()


def test_a_dead_receiver_is_asked_once_a_minute_and_its_notices_wait(desk: Desk) -> None:
    slow_down(desk)
    asked: list[int] = []
    desk.receiver.during = lambda: asked.append(desk.clock.now)
    for _ in range(20):
        desk.end(make_ended())
    desk.run()
    assert desk.receiver.received == []
    assert len(desk.sent) == 20
    desk.run_until(NOW + 600_000)
    assert 1 <= len(asked) <= 10
    assert all(later - earlier >= PAUSE_MS for earlier, later in pairwise(asked))


def test_only_one_sender_asks_a_slow_receiver(desk: Desk) -> None:
    slow_down(desk, 204)

    def meanwhile() -> None:
        desk.receiver.during = lambda: None
        desk.sender.send([sqs_record(ending(make_ended()))])

    desk.receiver.during = meanwhile
    desk.end(make_ended())
    desk.run()
    assert len(desk.receiver.received) == 1
    desk.run_until(NOW + 600_000)
    assert len(desk.receiver.received) == 2, "a slow receiver gets everything, only later"


def test_waiting_for_a_slow_receiver_is_not_an_attempt_and_ends_after_a_day(desk: Desk) -> None:
    slow_down(desk)
    job = make_ended()
    desk.end(job)
    desk.run()
    ((_, body),) = desk.sent
    assert json.loads(body)["attempts"] == 0
    notice = parse_notice(body)
    assert notice
    desk.end(make_ended())  # occupies the receiver
    desk.clock.now += PAUSE_MS
    desk.receiver.during = lambda: desk.sender.send(
        [sqs_record(replace(notice, since=desk.clock.now - MAX_WAIT_MS, due_at=NOW).body())]
    )
    desk.run()
    assert desk.dead_letters.bodies()[0]["job"]["id"] == {"S": job.id}
    assert desk.state(job).entries[0]["answer"] == "not asked: it was too slow for a day"


def test_a_dead_letter_that_is_moved_back_waits_for_a_slow_receiver_again(desk: Desk) -> None:
    slow_down(desk)
    desk.end(make_ended(), Notice(job=make_ended(), requested=1, due_at=0, since=0).body())
    desk.run()
    ((_, body),) = desk.sent
    assert json.loads(body)["since"] == NOW


def test_a_delivery_is_recorded_although_its_time_is_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.receiver.seconds = SLOW_SECONDS
    job = make_ended()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(Receivers, "report", fail)
    assert desk.sender.send([sqs_record(ending(job))]) == {"m1"}
    desk.clock.now += 600_000
    assert desk.sender.send([sqs_record(ending(job))]) == set()
    assert len(desk.receiver.received) == 1


def test_a_fast_answer_ends_the_restriction_even_if_it_is_an_error(desk: Desk) -> None:
    slow_down(desk)
    desk.clock.now += PAUSE_MS
    desk.receiver.answers, desk.receiver.seconds = [500], 0.1
    for _ in range(3):
        desk.end(make_ended())
    desk.run()
    assert len(desk.receiver.received) == 3


@pytest.mark.parametrize(
    "values",
    [{"owner": "b" * 32}, {"notify": "https://other.test/hook"}],
    ids=["another owner", "another host"],
)
def test_a_slow_receiver_does_not_affect(desk: Desk, values: dict[str, Any]) -> None:
    slow_down(desk)
    desk.end(make_ended(**values))
    desk.run()
    assert len(desk.receiver.received) == 1


def test_a_receiver_that_is_slow_sometimes_is_not_restricted(desk: Desk) -> None:
    slow_down(desk, count=SLOW_LIMIT - 1)
    desk.receiver.answers, desk.receiver.seconds = [204], SLOW_SECONDS - 0.1
    desk.end(make_ended())
    desk.run()
    slow_down(desk, count=SLOW_LIMIT - 1)
    desk.end(make_ended())
    desk.run()
    assert len(desk.receiver.received) == 1
