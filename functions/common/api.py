"""Routing, JSON responses and problem+json responses of the API's functions.

API Gateway has matched the path already. An event names its resource, so a route is found by a lookup
(https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from functions.common.clock import Clock, now_ms
from functions.common.errors import Damaged, FieldError, Problem, invalid, problem_body
from functions.common.identity import OWNER, PUBLIC, Identity
from functions.common.job import to_json
from functions.common.observability import logger, report_damaged

ApiResponse = dict[str, Any]
"""The value that a handler returns to API Gateway."""

Route = Callable[["ApiRequest", Any], ApiResponse]
"""Handle a request, given the function's dependencies."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location,Retry-After",
}
"""Pages of any origin may call the API. It uses no cookies."""

OPEN_CALLS = ("GET /kinds", "GET /openapi.json")
"""The calls that everyone may make."""


@dataclass(frozen=True)
class ApiRequest:
    """A call of the API. Header names are in lower case. `path` holds the path's parameters. `address` is the
    client's IP address. `identity` is who calls.

    `correlation_id` is the id that API Gateway gave the call. The access log and the response's header
    `x-amzn-requestid` have it too. An id sent by the caller is ignored: callers must not write to the logs.
    """

    identity: Identity
    correlation_id: str
    address: str
    stage: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str | None

    @classmethod
    def from_event(cls, event: dict[str, Any], identity: Identity) -> "ApiRequest":
        """Parse a proxy event, in which missing values are null. Raises Problem 400 or 415."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "send the body without Content-Encoding")
        return cls(
            identity=identity,
            correlation_id=event["requestContext"]["requestId"],
            address=event["requestContext"]["identity"]["sourceIp"],
            stage=event["requestContext"]["stage"],
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            headers=headers,
            body=_text(event),
        )


@dataclass(frozen=True)
class Api:
    """The calls that a function handles, by `METHOD /resource`, and their dependencies.

    Unless `auth` is `none`, API Gateway has verified the caller's token before most calls. Nothing but its
    answer says who calls.
    """

    routes: Mapping[str, Route]
    dependencies: Any
    auth: str
    clock: Clock = now_ms

    def handle(self, event: dict[str, Any]) -> ApiResponse:
        """Handle an event. Return errors as problem+json. HEAD is like GET, but answered without a body."""
        identity = None
        try:
            call = f"{'GET' if event['httpMethod'] == 'HEAD' else event['httpMethod']} {event['resource']}"
            route = self.routes.get(call)
            if route is None:
                raise Problem(404, "there is no such resource")
            identity = PUBLIC if call in OPEN_CALLS else self._identify(event["requestContext"])
            response = route(ApiRequest.from_event(event, identity), self.dependencies)
        except Problem as problem:
            response = problem_response(problem)
        except Damaged as reason:
            report_damaged("API", event["path"], reason)
            response = problem_response(Problem(500, "the stored data is damaged and cannot be shown"))
        except (BotoCoreError, ClientError):
            logger.exception("storage or queue unavailable")
            response = problem_response(Problem(503, "try again later", headers={"Retry-After": "1"}))
        if event["httpMethod"] == "HEAD":
            response["body"] = ""
        _log(event, response, identity)
        return response

    def _identify(self, context: Mapping[str, Any]) -> Identity:
        """Return who calls. Raises Problem 401 without a valid answer of the authorizer.

        API Gateway keeps that answer for some minutes, so the token may have expired since.
        """
        if self.auth == "none":
            return PUBLIC
        answer = context.get("authorizer") or {}
        owner, expires_at = str(answer.get("owner")), str(answer.get("expires_at"))
        if not (OWNER.fullmatch(owner) and expires_at.isdecimal()):
            raise _sign_in("send the header Authorization: Bearer <token>")
        if int(expires_at) <= self.clock():
            raise _sign_in("the token has expired; get a new one")
        subject = str(answer.get("subject"))
        return Identity(owner, subject, answer.get("operator") == "true", int(expires_at))


def _sign_in(detail: str) -> Problem:
    # API Gateway sends a function's header under another name; its own 401 has it unchanged
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _log(event: dict[str, Any], response: ApiResponse, identity: Identity | None) -> None:
    """Log a call, and which operator made it."""
    call = {"method": event["httpMethod"], "path": event["path"], "status": response["statusCode"]}
    operator = {"operator": identity.subject} if identity and identity.is_operator else {}
    correlation_id = event["requestContext"]["requestId"]
    logger.info("request answered", extra={**call, **operator, "correlation_id": correlation_id})


def json_response(status: int, body: Any, headers: dict[str, str] | None = None) -> ApiResponse:
    """Return a JSON response. Unless `headers` allow it, it is not cached: a job may change at any time."""
    defaults = {**CORS, "Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": {**defaults, **(headers or {})}, "body": to_json(body)}


def problem_response(problem: Problem) -> ApiResponse:
    """Return a problem as an RFC 9457 response."""
    body = problem_body(problem.status, problem.detail, problem.errors)
    headers = {"Content-Type": "application/problem+json", **problem.headers}
    return json_response(problem.status, body, headers)


def parse_job_id(text: str) -> str:
    """Return the job id of a path in its canonical form. Raises Problem 400 if it is not a UUID."""
    try:
        parsed = UUID(text)
    except ValueError:
        raise invalid("id", "must be a UUID like 123e4567-e89b-12d3-a456-426614174000") from None
    if str(parsed) != text.lower():
        raise invalid("id", f"must be written as {parsed}")
    return str(parsed)


def parse_json_object(body: str | None, limit: int | None = None) -> dict[str, Any]:
    """Parse a body as an object. An empty body is an empty object.

    Raises Problem 400, or 413 if it has more characters than `limit`.
    """
    if body is not None and limit is not None and len(body) > limit:
        message = f"must be at most {limit} characters long"
        raise Problem(413, f"body: {message}", (FieldError("body", message),))
    if body is None or not body.strip():
        return {}
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid("body", f"must be JSON: {error}") from None
    if not isinstance(values, dict):
        raise invalid("body", 'must be a JSON object like {"query": "pasta"}')
    return values


def printable(text: str, limit: int = 40) -> str:
    """Return a caller's text, shortened and without unprintable characters, for use in a message."""
    return "".join(c if c.isprintable() else "?" for c in text)[:limit]


def _text(event: dict[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if not body or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body).decode()
    except ValueError:
        raise invalid("body", "must be UTF-8 text") from None
