import json
import re
from typing import Any

import pytest

from functions.common.errors import Poison
from functions.common.job import to_json
from functions.common.messages import FailureMessage, JobMessage, ResultMessage, parse
from tests.unit.factories import (
    CORRELATION,
    POISON,
    make_failure,
    make_job,
    make_message,
    make_output,
    make_result,
)

JOB = make_job(run=2)
BODY: dict[str, Any] = {
    "job_id": JOB.id,
    "owner": "public",
    "kind": "photo",
    "run": 2,
    "correlation_id": CORRELATION,
}
RESULT: dict[str, Any] = {"output": to_json(make_output()), "started_at": None}
FAILURE: dict[str, Any] = {"code": "no_photos", "message": "none", "attempts": 3, "started_at": None}

REFUSED_BY_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (make_message(JOB), BODY),
        (make_result(JOB), BODY | RESULT),
        (make_failure(JOB, code="no_photos", message="none", attempts=3), BODY | FAILURE),
    ],
)
def test_a_message_can_be_parsed_from_its_body(message: JobMessage, body: dict[str, Any]) -> None:
    assert json.loads(message.body()) == body
    assert parse(type(message), json.dumps(body | {"of_a_later_version": 1})) == message
    older = {name: value for name, value in body.items() if name != "started_at"}
    assert parse(type(message), json.dumps(older)) == message


@pytest.mark.parametrize("text", ["ü🍝", "a\x00b", "\ufffe", "\uffff"])
def test_a_body_only_has_characters_that_sqs_accepts(text: str) -> None:
    assert not REFUSED_BY_SQS.search(make_failure(JOB, message=text).body())


@pytest.mark.parametrize("body", POISON)
@pytest.mark.parametrize("kind", [JobMessage, ResultMessage, FailureMessage])
def test_a_body_without_a_job_raises_poison(kind: type[JobMessage], body: str) -> None:
    with pytest.raises(Poison):
        parse(kind, body)


WRONG: dict[type[JobMessage], dict[str, tuple[Any, ...]]] = {
    JobMessage: {
        "run": ("2", True, 2.0, None),
        "job_id": (None, 5, "x" * 3000),
        "kind": (None, "", "Photo", "a b", "x" * 33),
    },
    ResultMessage: {"output": (None, "", "[]", "{", '{"a":1e400}', r'{"a":"\ud800"}', {})},
    FailureMessage: {"attempts": ("3",)},
}


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (kind, {name: value})
        for kind, fields in WRONG.items()
        for name, values in fields.items()
        for value in values
    ],
)
def test_a_field_of_the_wrong_type_raises_poison(kind: type[JobMessage], wrong: dict[str, Any]) -> None:
    with pytest.raises(Poison):
        parse(kind, json.dumps(BODY | RESULT | FAILURE | wrong))


@pytest.mark.parametrize("sent", [{}, *({"correlation_id": bad} for bad in (None, 5, "", "a b", "x" * 129))])
@pytest.mark.parametrize(
    ("kind", "fields"), [(JobMessage, {}), (ResultMessage, RESULT), (FailureMessage, FAILURE)]
)
def test_a_message_without_a_valid_correlation_id_is_accepted(
    kind: type[JobMessage], fields: dict[str, Any], sent: dict[str, Any]
) -> None:
    older = {name: value for name, value in BODY.items() if name != "correlation_id"}
    message = parse(kind, json.dumps(older | fields | sent))
    assert (message.job_id, message.correlation_id) == (JOB.id, "")
