"""The calls of /schedules: what is accepted and what is refused."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from functions.common.api import Api
from functions.common.errors import Problem
from functions.common.kind_input import MAX_BODY
from functions.common.schedule_store import MAX_SCHEDULES, ScheduleStore
from functions.schedules.handler import ROUTES
from functions.schedules.schedule_request import ScheduleRequest
from functions.schedules.schedules import Schedules
from kinds import countdown, photo
from tests.unit.factories import ADDRESS, CALLER, NOW, SALT, ParsedResponse, api_event, make_schedule
from tests.unit.fakes import FakeClock
from tests.unit.faults import on_call, refused
from tests.unit.sign_in import everything

Call = Callable[..., ParsedResponse]
HOUR = 3_600_000
DAY = 24 * HOUR
NINE = 1_760_000_400_000
"""The next 9:00 UTC after NOW, which is 8:53:20 on a Thursday."""
KINDS = {kind.name: kind for kind in (photo.KIND, countdown.KIND)}


@pytest.fixture
def logic(schedules: ScheduleStore, clock: FakeClock) -> Schedules:
    return Schedules(schedules, KINDS, clock, SALT)


@pytest.fixture
def call(logic: Schedules, clock: FakeClock) -> Call:
    api = Api(ROUTES, logic, "none", clock)

    def make_call(method: str, path: str = "/schedules", body: Any = None, **event: Any) -> ParsedResponse:
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        return ParsedResponse.read(api.handle(api_event(method, path, body=text, **event)))

    return make_call


def test_a_new_schedule_is_returned_with_its_next_times(call: Call, schedules: ScheduleStore) -> None:
    body = {"kind": "countdown", "input": {"seconds": 5}, "cron": "0  9 * * *", "timezone": "UTC"}
    answer = call("POST", body=body)
    expected = {
        "id": answer.body["id"],
        "kind": "countdown",
        "input": {"seconds": 5},
        "cron": "0 9 * * *",
        "timezone": "UTC",
        "paused": False,
        "pause_reason": None,
        "next": [NINE + number * DAY for number in range(10)],
        "last_run": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert (answer.status, list(answer.body.items())) == (201, list(expected.items()))
    assert answer.headers["Location"] == f"/api/schedules/{answer.body['id']}"
    assert call("GET", f"/schedules/{answer.body['id']}").body == expected
    assert call("GET").body == {"data": [expected]}
    stored = schedules.get(answer.body["id"])
    assert stored
    assert (stored.wake_at, stored.caller, ADDRESS in str(stored)) == (NINE, CALLER, False)


def test_what_is_left_out_has_defaults(call: Call) -> None:
    schedule = call("POST", body={"cron": "0 9 * * *"}).body
    assert {name: schedule[name] for name in ("kind", "input", "timezone", "paused")} == {
        "kind": "photo",
        "input": {"query": "food"},
        "timezone": "UTC",
        "paused": False,
    }


def test_times_are_those_of_the_time_zone(call: Call) -> None:
    body = {"cron": "0 9 * * *", "timezone": "America/New_York"}
    assert call("POST", body=body).body["next"][:2] == [NINE + 4 * HOUR, NINE + 4 * HOUR + DAY]


def test_a_paused_schedule_has_no_next_times_and_is_not_due(call: Call, schedules: ScheduleStore) -> None:
    schedule = call("POST", body={"cron": "0 9 * * *", "paused": True}).body
    assert (schedule["paused"], schedule["next"]) == (True, [])
    stored = schedules.get(schedule["id"])
    assert stored
    assert "wake_at" not in stored.to_item()
    assert "due_shard" not in stored.to_item()


BAD_CRONS: list[Any] = [None, 5, [], "", "* * * *", "@daily", "0 0 30 2 *", "61 * * * *"]
BAD_BODIES: dict[str, list[Any]] = {
    "body": ["{", "[]", "null", " " * (MAX_BODY + 1)],
    "kind": [{"kind": "nothing"}, {"kind": 5}, {"kind": None}, {"kind": ["photo"]}],
    "input": [{"input": 5}, {"input": []}, {"input": None}, {"input": "pasta"}],
    "input.query": [{"input": {"query": 5}}, {"input": {"query": None}}, {"input": {"query": "x" * 101}}],
    "input.secret": [{"input": {"secret": 1}}],
    "cron": [{"cron": value} for value in BAD_CRONS],
    "timezone": [{"timezone": name} for name in (None, 5, "", "Berlin", "../UTC", "utc")],
    "paused": [{"paused": flag} for flag in (None, 0, "true")],
    "delay_seconds": [{"delay_seconds": 5}],
    "query": [{"query": "pasta"}],
    "?": [{"\n": 1}],
}


@pytest.mark.parametrize("field", BAD_BODIES)
def test_an_invalid_schedule_names_its_field_and_is_not_created(
    call: Call, dynamodb: Any, field: str
) -> None:
    for body in BAD_BODIES[field]:
        sent = body if isinstance(body, str) else {"cron": "0 9 * * *", **body}
        status = 413 if isinstance(body, str) and len(body) > MAX_BODY else 400
        assert call("POST", body=sent).problem() == (status, field), body
    assert everything(dynamodb) == [[], []]


def test_an_expression_is_required(call: Call) -> None:
    for body in (None, {}, {"kind": "photo"}):
        assert call("POST", body=body).problem() == (400, "cron")


def test_fields_are_changed_one_by_one(call: Call, schedules: ScheduleStore, clock: FakeClock) -> None:
    path = f"/schedules/{call('POST', body={'cron': '0 9 * * *'}).body['id']}"
    clock.now += 1000
    changed = call("PATCH", path, {"cron": "30 9 * * *"})
    assert (changed.status, changed.body["cron"], changed.body["updated_at"]) == (
        200,
        "30 9 * * *",
        NOW + 1000,
    )
    assert changed.body["next"][0] == NINE + HOUR // 2
    moved = call("PATCH", path, {"timezone": "Asia/Kolkata"}).body  # 5:30 ahead
    assert moved["next"][0] == NINE - 5 * HOUR + DAY
    assert call("PATCH", path, {"input": {"query": "pasta"}}).body["input"] == {"query": "pasta"}
    paused = call("PATCH", path, {"paused": True}).body
    assert (paused["paused"], paused["next"]) == (True, [])
    clock.now += 3 * DAY
    resumed = call("PATCH", path, {"paused": False, "timezone": "UTC"}).body
    assert (resumed["paused"], resumed["next"][0]) == (False, NINE + HOUR // 2 + 3 * DAY)
    stored = schedules.get(resumed["id"])
    assert stored
    assert (stored.wake_at, stored.created_at) == (resumed["next"][0], NOW)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        (None, "body"),
        ("[]", "body"),
        ({"kind": "countdown"}, "kind"),
        ({"id": "x"}, "id"),
        ({"next": []}, "next"),
        ({"input": {"seconds": 5}}, "input.seconds"),
        ({"input": None}, "input"),
        ({"cron": "x"}, "cron"),
        ({"timezone": "x"}, "timezone"),
        ({"paused": 1}, "paused"),
    ],
)
def test_an_invalid_change_names_its_field_and_changes_nothing(
    call: Call, dynamodb: Any, body: Any, field: str
) -> None:
    path = f"/schedules/{call('POST', body={'cron': '0 9 * * *'}).body['id']}"
    before = everything(dynamodb)
    assert call("PATCH", path, body).problem() == (400, field)
    assert everything(dynamodb) == before


@pytest.mark.parametrize(
    "change", [{"input": {"query": "pasta"}}, {"cron": "0 12 * * *"}, {"timezone": "Asia/Tokyo"}]
)
def test_a_change_does_not_lose_a_time_that_has_come(
    call: Call, schedules: ScheduleStore, change: dict[str, Any]
) -> None:
    schedule = make_schedule(wake_at=NOW - 30_000)
    schedules.create(schedule)
    call("PATCH", f"/schedules/{schedule.id}", change)
    stored = schedules.get(schedule.id)
    assert stored
    assert stored.wake_at == NOW - 30_000


def test_a_schedule_of_a_kind_that_is_gone_can_be_paused_and_deleted_but_not_resumed(
    call: Call, schedules: ScheduleStore
) -> None:
    schedule = make_schedule(
        kind="retired", paused=True, pause_reason="there are no jobs of kind retired any more"
    )
    schedules.create(schedule)
    path = f"/schedules/{schedule.id}"
    assert call("GET", path).body["pause_reason"] == schedule.pause_reason
    assert call("PATCH", path, {"paused": False}).problem() == (400, "kind")
    assert call("PATCH", path, {"input": {}}).problem() == (400, "kind")
    assert call("PATCH", path, {"cron": "1 * * * *"}).body["pause_reason"] == schedule.pause_reason
    assert call("PATCH", path, {"paused": True}).body["pause_reason"] is None
    assert call("DELETE", path).status == 204


def test_a_deleted_schedule_is_gone(call: Call, dynamodb: Any) -> None:
    path = f"/schedules/{call('POST', body={'cron': '0 9 * * *'}).body['id']}"
    deleted = call("DELETE", path)
    assert (deleted.status, deleted.body) == (204, None)
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"paused": True})):
        assert call(method, path, body).status == 404
    assert call("GET").body == {"data": []}
    [owner_item] = everything(dynamodb)[0]
    assert "schedule_ids" not in owner_item


def test_an_id_must_be_a_uuid(call: Call) -> None:
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"paused": True})):
        assert call(method, "/schedules/5", body).problem() == (400, "id")
        assert call(method, f"/schedules/schedule#{uuid4()}", body).problem() == (400, "id")


@pytest.mark.parametrize("query", [{"page": "1"}, {"owners": "x"}])
def test_the_list_has_no_other_parameters(call: Call, query: dict[str, str]) -> None:
    assert call("GET", query=query).problem() == (400, "query string")


def test_the_newest_schedule_is_listed_first(call: Call, clock: FakeClock) -> None:
    created = []
    for _ in range(3):
        clock.now += 1
        created.append(call("POST", body={"cron": "0 9 * * *"}).body["id"])
    assert [schedule["id"] for schedule in call("GET").body["data"]] == created[::-1]


# --- the limit ---


def test_an_owner_has_at_most_a_hundred_schedules(
    logic: Schedules, schedules: ScheduleStore, call: Call
) -> None:
    """However many requests arrive together, and after one is deleted there is room for exactly one."""
    ids = fill(schedules, MAX_SCHEDULES - 2)
    request = ScheduleRequest("photo", {}, "0 9 * * *")

    def create(_: int) -> str:
        try:
            return str(logic.create(request, "public", ADDRESS)["id"])
        except Problem as problem:
            return str(problem.status)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(create, range(8)))
    assert len([answer for answer in answers if len(answer) == 36]) == 2
    assert set(answers) >= {"409"}
    full = call("POST", body={"cron": "0 9 * * *"})
    assert (full.status, "delete one" in full.body["detail"]) == (409, True)
    assert len(call("GET").body["data"]) == MAX_SCHEDULES
    assert call("DELETE", f"/schedules/{ids[0]}").status == 204
    assert [call("POST", body={"cron": "0 9 * * *"}).status for _ in range(2)] == [201, 409]


def fill(schedules: ScheduleStore, count: int) -> list[str]:
    created = [make_schedule() for _ in range(count)]
    for schedule in created:
        schedules.create(schedule)
    return [schedule.id for schedule in created]


def test_a_conflict_is_tried_again_and_then_answered_with_503(call: Call, dynamodb: Any) -> None:
    with refused(dynamodb, "TransactWriteItems", "TransactionCanceledException"):
        answer = call("POST", body={"cron": "0 9 * * *"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    attempts = []

    def fail_once(**_: Any) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise dynamodb.exceptions.TransactionCanceledException({"Error": {}}, "TransactWriteItems")

    with on_call(dynamodb, "TransactWriteItems", fail_once):
        assert call("POST", body={"cron": "0 9 * * *"}).status == 201
    assert len(call("GET").body["data"]) == 1


def test_a_change_that_meets_another_one_is_made_after_it(
    call: Call, schedules: ScheduleStore, dynamodb: Any
) -> None:
    schedule = make_schedule(wake_at=NINE)
    schedules.create(schedule)
    others = iter([{"input": {"query": "bread"}}])

    def other_change(**_: Any) -> None:
        for values in others:
            assert schedules.update(schedule, values)

    with on_call(dynamodb, "UpdateItem", other_change):
        changed = call("PATCH", f"/schedules/{schedule.id}", {"paused": True}).body
    assert (changed["paused"], changed["input"]) == (True, {"query": "bread"})


# --- damage ---


def test_a_damaged_schedule_is_left_out_of_the_list_and_can_be_deleted(
    call: Call, schedules: ScheduleStore, dynamodb: Any
) -> None:
    good, damaged = make_schedule(), make_schedule()
    for schedule in (good, damaged):
        schedules.create(schedule)
    dynamodb.put_item(TableName="jobs", Item={**damaged.to_item(), "cron": {"N": "5"}})
    assert [schedule["id"] for schedule in call("GET").body["data"]] == [good.id]
    path = f"/schedules/{damaged.id}"
    assert [call("GET", path).status, call("PATCH", path, {"paused": True}).status] == [500, 500]
    assert call("DELETE", path).status == 204


def test_a_schedule_whose_stored_expression_is_not_valid_any_more_is_shown(
    call: Call, schedules: ScheduleStore
) -> None:
    schedule = make_schedule(timezone="Europe/Atlantis")
    schedules.create(schedule)
    path = f"/schedules/{schedule.id}"
    assert call("GET", path).body["next"] == []
    assert call("PATCH", path, {"paused": True}).body["paused"] is True
    assert call("PATCH", path, {"paused": False}).problem() == (400, "cron")
    assert call("PATCH", path, {"paused": False, "timezone": "UTC"}).body["next"][0] == NINE


def test_without_a_table_the_answer_is_503(call: Call, dynamodb: Any) -> None:
    with refused(dynamodb, "GetItem"):
        assert call("GET").status == 503


def test_a_schedule_is_in_no_list_of_jobs() -> None:
    lists = {"list_shard", "created_key", "status_shard", "kind_shard", "changed_at", "all_shard"}
    assert not lists & set(make_schedule().to_item())
