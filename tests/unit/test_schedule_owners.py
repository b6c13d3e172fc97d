"""Who sees and changes which schedules with sign-in."""

import json
from typing import Any
from uuid import uuid4

import pytest

from functions.common.schedule_store import ScheduleStore
from tests.unit.factories import make_schedule
from tests.unit.gateway import Gateway
from tests.unit.sign_in import ANN, BOB, everything


def test_another_owners_schedule_is_answered_like_one_that_does_not_exist(
    gateway: Gateway, schedules: ScheduleStore, dynamodb: Any, bob: str
) -> None:
    for owner in (ANN, "public"):
        schedule, missing = make_schedule(owner=owner), str(uuid4())
        schedules.create(schedule)
        before = everything(dynamodb)
        for method, body in (("GET", None), ("PATCH", '{"paused": true}'), ("DELETE", None)):
            answers = [
                gateway.call(method, f"/schedules/{name}", bob, body=body) for name in (schedule.id, missing)
            ]
            others, absent = (json.dumps([each.status, each.headers, each.body]) for each in answers)
            assert answers[0].status == 404
            assert others.replace(schedule.id, missing) == absent
        assert everything(dynamodb) == before


def test_lists_and_limits_are_those_of_the_owner(
    gateway: Gateway, schedules: ScheduleStore, ann: str, bob: str, olga: str
) -> None:
    mine, others = make_schedule(owner=ANN), make_schedule(owner=BOB)
    for schedule in (mine, others):
        schedules.create(schedule)

    def listed(token: str, **query: str) -> list[str]:
        body = gateway.call("GET", "/schedules", token, query=query or None).body
        return [schedule["id"] for schedule in body["data"]]

    assert (listed(ann), listed(bob), listed(olga)) == ([mine.id], [others.id], [])
    assert listed(olga, owner=BOB) == [others.id]
    assert gateway.call("GET", "/schedules", olga, query={"owner": "*"}).problem() == (400, "owner")
    created = gateway.call("POST", "/schedules", ann, body='{"cron": "0 9 * * *"}').body["id"]
    stored = schedules.get(created)
    assert stored
    assert (stored.owner, stored.caller) == (ANN, ANN)


def test_operators_see_and_change_the_schedules_of_all(
    gateway: Gateway, schedules: ScheduleStore, olga: str, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = make_schedule(owner=ANN)
    schedules.create(schedule)
    path = f"/schedules/{schedule.id}"
    with caplog.at_level("INFO"):
        assert gateway.call("GET", path, olga).status == 200
        assert gateway.call("PATCH", path, olga, body='{"paused": true}').body["paused"] is True
        assert gateway.call("DELETE", path, olga).status == 204
    changes = [line.__dict__ for line in caplog.records if line.message.startswith("schedule ")]
    assert [line["operator"] for line in changes] == ["olga"] * 2
    assert schedules.get_all(ANN) == []
