"""The OpenAPI document describes what the functions respond with, for any kinds."""

import json
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from functions.change_job.selection_request import parse_cancel, parse_retry
from functions.common.cron import MAX_LENGTH
from functions.common.errors import FieldError, Problem, problem_body
from functions.common.history import HistoryEntry
from functions.common.identity import PUBLIC
from functions.common.job import PUBLIC_FIELDS, STATUSES, Job, JobError, Progress
from functions.common.kind import Kind
from functions.common.ledger import Window
from functions.common.minutes import last_minutes
from functions.common.queues import MAX_DELAY_SECONDS
from functions.common.schedule import PUBLIC_FIELDS as SCHEDULE_FIELDS
from functions.common.schedule import LastRun
from functions.common.schedule_store import MAX_SCHEDULES
from functions.common.tickets import TicketKeys
from functions.create_job.job_request import LONGEST_DELAY_SECONDS
from functions.create_ticket.create_ticket import MAX_JOBS, TicketOffice, parse_ticket_request
from functions.schedules.schedule_request import parse_schedule_change, parse_schedule_request
from infra.constructs.gateway_responses import problem
from infra.kinds import read_kinds
from infra.settings import SQS_MAX_DELAY
from infra.tools.contract import describe, openapi, write
from tests.unit.factories import make_schedule
from tests.unit.odd_kind import ODD

INCLUDED = {name: declaration.kind for name, declaration in read_kinds().items()}
EMPTY = Kind("empty", "Do nothing", type("Input", (msgspec.Struct,), {}), ODD.output, ODD.work)
KINDS = {**INCLUDED, "odd": ODD, "empty": EMPTY}
DOCUMENT = openapi(KINDS)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
TICKET = TicketOffice(TicketKeys(lambda: [("v1", b"key")]), lambda: 0).create_ticket(PUBLIC, None)
PHOTO = {
    "id": "x", "width": 1, "height": 1, "color": None, "blur_hash": None, "alt": None,
    "small": "", "regular": "", "photographer": {"name": "", "url": ""}, "page": "",
}  # fmt: skip
ODD_INPUT = {"shape": {"type": "Circle", "radius": 1}, "color": "red"}


def errors(schema: str, value: Any, document: dict[str, Any] = DOCUMENT) -> list[str]:
    reference = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    return [error.message for error in OAS31Validator(reference).iter_errors(value)]


def job(kind: str, job_input: dict[str, Any], **values: Any) -> dict[str, Any]:
    job_id = "3f2a4b66-7c8d-4e9f-8a1b-2c3d4e5f6a7b"
    return Job(id=job_id, kind=kind, input=job_input, created_at=1, updated_at=1, **values).public_view()


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("CountdownJob", PUBLIC_FIELDS),
        ("OtherJob", PUBLIC_FIELDS),
        ("PhotoJob", (*PUBLIC_FIELDS, "query", "result", "photo")),
        ("JobError", JobError.__annotations__),
        ("Progress", Progress.__annotations__),
        ("Counts", STATUSES),
        ("Budget", [field.name for field in fields(Window)]),
        ("Kind", describe(INCLUDED)["data"][0]),
        ("Ticket", TICKET),
        ("HistoryEntry", HistoryEntry(0, "pending", 0).public_view()),
        ("Minute", last_minutes([], 0)[0]),
        ("Schedule", SCHEDULE_FIELDS),
        ("ScheduleRun", LastRun.__annotations__),
        ("Problem", problem_body(400, "")),
        ("FieldError", [field.name for field in fields(FieldError)]),
    ],
)
def test_a_schema_has_exactly_the_fields_of_the_code(schema: str, names: Any) -> None:
    assert list(SCHEMAS[schema]["properties"]) == list(names)
    assert set(SCHEMAS[schema]["required"]) == set(names)


def test_every_status_is_documented() -> None:
    assert SCHEMAS["Status"]["enum"] == list(STATUSES)


def test_the_longest_delay_is_the_same_everywhere() -> None:
    assert SCHEMAS["OddJobRequest"]["properties"]["delay_seconds"]["maximum"] == LONGEST_DELAY_SECONDS
    assert SQS_MAX_DELAY == MAX_DELAY_SECONDS


def test_the_gateways_own_errors_have_the_form_of_the_functions_errors() -> None:
    detail = "no such resource"
    assert json.loads(problem(HTTPStatus.NOT_FOUND, detail)) == problem_body(404, detail)


@pytest.mark.parametrize("kinds", [KINDS, {"odd": ODD}, INCLUDED])
def test_the_document_is_valid_for_any_kinds(kinds: dict[str, Kind]) -> None:
    validate(openapi(kinds))


@pytest.mark.parametrize(
    "value",
    [
        job("photo", {"query": "tea"}),
        job("photo", {"query": "tea"}, status="resolved", output=PHOTO),
        job("countdown", {"seconds": 5}, progress={"fraction": 0.25, "message": None}),
        job("countdown", {"seconds": 5}, delay_seconds=3, error={"code": "x", "message": "", "attempts": 0}),
        job("odd", ODD_INPUT, progress={"fraction": None, "message": ""}),
        job("empty", {}),
        job("removed", {"anything": [1]}, status="resolved", output={}),
    ],
)  # fmt: skip
def test_a_job_of_any_kind_conforms(value: dict[str, Any]) -> None:
    assert errors("Job", value) == []


@pytest.mark.parametrize(
    "value",
    [
        job("photo", {"query": ""}),
        job("countdown", {"seconds": 0}),
        job("countdown", {"seconds": 1}, output={}),
        job("odd", {"color": "red"}),
        job("countdown", {"seconds": 5}, progress={"fraction": 2, "message": None}),
        {**job("countdown", {"seconds": 5}), "version": 0},
        job("Removed", {}),
    ],
)
def test_a_job_that_its_kind_does_not_allow_does_not_conform(value: dict[str, Any]) -> None:
    assert errors("Job", value)


def test_the_discriminator_names_the_schema_of_every_kind() -> None:
    mapping = SCHEMAS["Job"]["discriminator"]["mapping"]
    kinds = [SCHEMAS[ref.rpartition("/")[2]]["properties"]["kind"]["const"] for ref in mapping.values()]
    assert kinds == list(mapping) == sorted(KINDS)
    assert [*mapping.values(), "#/components/schemas/OtherJob"] == [
        schema["$ref"] for schema in SCHEMAS["Job"]["oneOf"]
    ]


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ({}, True),
        ({"query": "tea"}, True),
        ({"input": {"query": "tea"}, "delay_seconds": 5}, True),
        ({"kind": "photo", "input": {}}, True),
        ({"kind": "countdown"}, True),
        ({"kind": "countdown", "input": {"seconds": 5}}, True),
        ({"kind": "odd", "input": {"shape": {"type": "Square", "sides": [1, 2]}, "color": "red"}}, True),
        ({"kind": "empty", "input": {}}, True),
        ({"kind": "odd"}, False),  # some of its fields are required
        ({"kind": "odd", "input": {"shape": {"type": "Line"}, "color": "red"}}, False),
        ({"kind": "countdown", "seconds": 5}, False),
        ({"kind": "countdown", "input": {"seconds": 5, "more": 1}}, False),
        ({"kind": "empty", "input": {"more": 1}}, False),
        ({"kind": "removed"}, False),
        ({"input": {"seconds": 5}}, False),
        ({"delay_seconds": 2_592_001}, False),
    ],
)
def test_requests_conform_as_the_functions_accept_them(body: dict[str, Any], is_valid: bool) -> None:
    assert (errors("JobRequest", body) == []) is is_valid


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ({"query": "pasta"}, True),
        ({"kind": "countdown", "input": {"seconds": 5}, "delay_seconds": 5}, True),
        ({"kind": "countdown", "query": "pasta"}, False),
        ({"input": {"query": "pasta"}, "delay_seconds": -1}, False),
    ],
)
def test_entries_of_a_bulk_request_are_requests_with_a_key(body: dict[str, Any], is_valid: bool) -> None:
    assert (errors("BulkRequest", {"jobs": [{**body, "key": "k"}]}) == []) is is_valid
    assert errors("BulkRequest", {"jobs": [{**body, "key": ""}]})
    assert errors("JobRequest", {**body, "key": "k"})


@pytest.mark.parametrize(
    ("schema", "body", "is_valid"),
    [
        ("RetryRequest", {}, True),
        ("RetryRequest", {"kind": "photo", "status": "error", "code": "c", "limit": 100}, True),
        ("RetryRequest", {"status": "cancelled"}, True),
        ("RetryRequest", {"status": "pending"}, False),
        ("RetryRequest", {"limit": 0}, False),
        ("RetryRequest", {"limit": 101}, False),
        ("RetryRequest", {"id": "x"}, False),
        ("CancelRequest", {"kind": "photo", "status": "pending", "limit": 1}, True),
        ("CancelRequest", {"status": "error"}, False),
        ("CancelRequest", {"code": "c"}, False),
    ],
)
def test_filters_conform_as_the_function_accepts_them(schema: str, body: Any, is_valid: bool) -> None:
    assert (errors(schema, body) == []) is is_valid

    def parse() -> None:
        text = json.dumps(body)
        if schema == "RetryRequest":
            parse_retry(text, "public", INCLUDED)
        else:
            parse_cancel(text, "public")

    if is_valid:
        parse()
    else:
        with pytest.raises(Problem):
            parse()


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ({}, True),
        ({"jobs": ["3f2a4b66-7c8d-4e9f-8a1b-2c3d4e5f6a7b"] * MAX_JOBS}, True),
        ({"jobs": ["3f2a4b66-7c8d-4e9f-8a1b-2c3d4e5f6a7b"] * (MAX_JOBS + 1)}, False),
        ({"jobs": []}, False),
        ({"jobs": None}, False),
        ({"jobs": [7]}, False),
        ({"job": "x"}, False),
    ],
)
def test_requests_for_tickets_conform_as_the_function_accepts_them(body: Any, is_valid: bool) -> None:
    assert (errors("TicketRequest", body) == []) is is_valid
    if is_valid:
        parse_ticket_request(json.dumps(body))
    else:
        with pytest.raises(Problem):
            parse_ticket_request(json.dumps(body))


@pytest.mark.parametrize(
    ("schema", "body", "is_valid"),
    [
        ("ScheduleRequest", {"cron": "0 9 * * *"}, True),
        ("ScheduleRequest", {"kind": "countdown", "input": {"seconds": 5}, "cron": "0 9 * * *"}, True),
        ("ScheduleRequest", {"cron": "0 9 * * *", "timezone": "Europe/Berlin", "paused": True}, True),
        ("ScheduleRequest", {}, False),
        ("ScheduleRequest", {"cron": 5}, False),
        ("ScheduleRequest", {"cron": "0 9 * * *", "query": "pasta"}, False),
        ("ScheduleRequest", {"cron": "0 9 * * *", "paused": None}, False),
        ("ScheduleChange", {"paused": True}, True),
        ("ScheduleChange", {"cron": "0 9 * * *", "timezone": "UTC", "input": {}}, True),
        ("ScheduleChange", {}, False),
        ("ScheduleChange", {"kind": "photo"}, False),
    ],
)
def test_requests_for_schedules_conform_as_the_function_accepts_them(
    schema: str, body: Any, is_valid: bool
) -> None:
    assert (errors(schema, body) == []) is is_valid

    def parse() -> object:
        text = json.dumps(body)
        is_new = schema == "ScheduleRequest"
        return parse_schedule_request(text, INCLUDED) if is_new else parse_schedule_change(text)

    if is_valid:
        assert parse()
    else:
        with pytest.raises(Problem):
            parse()


def test_a_schedule_conforms() -> None:
    fresh = make_schedule().public_view([1, 2])
    run = make_schedule(paused=True, pause_reason="x", last_run={"at": 1, "job": fresh["id"]}).public_view([])
    assert [errors("ScheduleList", {"data": [schedule]}) for schedule in (fresh, run)] == [[], []]
    assert SCHEMAS["ScheduleList"]["properties"]["data"]["maxItems"] == MAX_SCHEDULES
    assert SCHEMAS["ScheduleRequest"]["properties"]["cron"]["maxLength"] == MAX_LENGTH


def test_a_body_is_required_if_no_kind_is_the_default() -> None:
    without_photo = openapi({"countdown": INCLUDED["countdown"]})
    bodies = [document["paths"]["/jobs"]["post"]["requestBody"] for document in (DOCUMENT, without_photo)]
    assert [body["required"] for body in bodies] == [False, True]
    assert errors("JobRequest", {}, without_photo)


def test_kinds_whose_schemas_would_have_the_same_name_get_different_names() -> None:
    """Generated clients make the names of classes and files of them."""
    names = ("job", "other", "a_b", "ab", "a__b", "job_request")
    kinds = {name: Kind(name, name, ODD.input, EMPTY.input, ODD.work) for name in names}
    document = openapi(kinds)
    validate(document)
    schemas = [name.lower() for name in document["components"]["schemas"]]
    assert len(schemas) == len(set(schemas))
    for name in names:
        value = job(name, {"shape": {"type": "Square", "sides": []}, "color": "blue"}, output={})
        assert errors("Job", value, document) == []


def test_kinds_are_described_with_complete_schemas() -> None:
    kinds = describe(KINDS)["data"]
    assert [kind["name"] for kind in kinds] == sorted(KINDS)
    for kind in kinds:
        assert errors("Kind", kind) == []
        for name in ("input", "output"):
            OAS31Validator.check_schema(kind[name])
            assert kind[name]["type"] == "object"
    countdown, _, odd, photo = kinds
    assert countdown["title"] == "Count down"
    assert countdown["label"] == "seconds"
    assert countdown["input"]["additionalProperties"] is False
    assert countdown["input"]["properties"]["seconds"]["maximum"] == 600
    assert "$defs" not in countdown["input"]
    assert photo["output"]["properties"]["photographer"] == {"$ref": "#/$defs/Photographer"}
    accepts = OAS31Validator(odd["input"]).is_valid
    assert accepts({"shape": {"type": "Square", "sides": [1]}, "color": "red", "children": [{"name": "a"}]})
    assert not accepts({"shape": {"type": "Square", "sides": ["1"]}, "color": "red"})
    assert not accepts({"shape": {"type": "Circle", "radius": 1}, "color": "green"})


def test_both_files_are_written(tmp_path: Path) -> None:
    write(tmp_path / "new", read_kinds())
    assert json.loads((tmp_path / "new" / "openapi.json").read_text()) == openapi(INCLUDED)
    assert json.loads((tmp_path / "new" / "kinds.json").read_text()) == describe(INCLUDED)
