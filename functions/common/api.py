"""What the API's functions share: their routes, answers as JSON, refusals as problem+json.

API Gateway has done the routing already: an event names its resource, so a route is found by a look-up
(https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Problem, invalid
from functions.common.job import to_json
from functions.common.observability import logger

Answer = dict[str, Any]
"""What Lambda gives back to API Gateway."""

Route = Callable[["Request", Any], Answer]
"""Handle a request, given the function's dependencies."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location,Retry-After",
}
"""A page of any origin may read and create; no cookies are used."""


@dataclass(frozen=True)
class Request:
    """A call of the API. Names of headers are in lower case; `path` holds the path's parameters.

    `correlation_id` is API Gateway's own id of the call, which the access log and the answer's header
    `x-amzn-requestid` have too. A caller's is not taken: whatever is in the logs is of our making.
    """

    correlation_id: str
    stage: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str | None

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Request":
        """From a proxy event, which has null where there is nothing. Raises Problem 400."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            correlation_id=event["requestContext"]["requestId"],
            stage=event["requestContext"]["stage"],
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            headers=headers,
            body=_text(event),
        )


def serve(routes: Mapping[str, Route], event: dict[str, Any], dependencies: Any) -> Answer:
    """Answer an event by the route named `METHOD /resource`; refusals and failures as the contract says."""
    route = routes.get(f"{event['httpMethod']} {event['resource']}")
    try:
        if route is None:
            raise Problem(404, "no such resource")
        result = route(Request.from_event(event), dependencies)
    except Problem as problem:
        result = refuse(problem)
    except (BotoCoreError, ClientError):
        logger.exception("storage or queue unavailable")
        result = refuse(Problem(503, "try again in a moment", headers={"Retry-After": "1"}))
    called = {"method": event["httpMethod"], "path": event["path"], "status": result["statusCode"]}
    logger.info("answered", extra={**called, "correlation_id": event["requestContext"]["requestId"]})
    return result


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer. Not cached, unless `headers` say otherwise: a job changes at any moment."""
    fixed = {**CORS, "Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": {**fixed, **(headers or {})}, "body": to_json(body)}


def refuse(problem: Problem) -> Answer:
    """RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457), with the offending fields in `errors`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [{"field": error.field, "message": error.message} for error in problem.errors],
    }
    return answer(problem.status, body, {"Content-Type": "application/problem+json", **problem.headers})


def job_id_of(text: str) -> str:
    """The path's job id in its one written form. Raises Problem 400 if it is no UUID."""
    try:
        parsed = UUID(text)
    except ValueError:
        raise invalid("id", "must be a UUID like 123e4567-e89b-12d3-a456-426614174000") from None
    if str(parsed) != text.lower():
        raise invalid("id", f"must be written as {parsed}")
    return str(parsed)


def json_object(body: str | None, known: tuple[str, ...]) -> dict[str, Any]:
    """The body as an object with known fields only; no body at all is an empty one.

    Raises Problem 400.
    """
    if body is None or not body.strip():
        return {}
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid("body", f"must be JSON: {error}") from None
    if not isinstance(values, dict):
        raise invalid("body", 'must be a JSON object like {"query": "pasta"}')
    for name in values:
        if name not in known:
            raise invalid(printable(name), f"is not a field; known are {', '.join(known)}")
    return values


def printable(text: str, limit: int = 40) -> str:
    """A caller's text, fit to be shown back."""
    return "".join(c if c.isprintable() else "?" for c in text)[:limit]


def _text(event: dict[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if not body or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body).decode()
    except ValueError:
        raise invalid("body", "must be UTF-8 text") from None
