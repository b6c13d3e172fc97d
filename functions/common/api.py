"""What the API's functions share: routing by Powertools, answers as JSON, refusals as problem+json."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Problem, invalid
from functions.common.job import to_json
from functions.common.observability import logger

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location,Retry-After",
}
"""A page of any origin may read and create; no cookies are used."""


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Response[str]:
    """A JSON answer. Never cached: a job changes at any moment."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=to_json(body),
        headers={**CORS, "Cache-Control": "no-store", **(headers or {})},
    )


def make_resolver() -> APIGatewayRestResolver:
    """A resolver that answers every refusal and every failure as the contract says."""
    resolver = APIGatewayRestResolver()
    resolver.exception_handler(Problem)(refuse)
    resolver.not_found(_no_such_route)
    resolver.exception_handler([BotoCoreError, ClientError])(_unavailable)
    return resolver


def resolve(
    resolver: APIGatewayRestResolver, event: dict[str, Any], context: Any, **neighbours: Any
) -> dict[str, Any]:
    """Answer an API Gateway event; routes find the neighbours in `resolver.context`."""
    resolver.append_context(**neighbours)  # type: ignore[no-untyped-call]
    result = resolver.resolve(event, context)
    called = {"method": event["httpMethod"], "path": event["path"], "status": result["statusCode"]}
    logger.info("answered", extra=called)
    return result


def refuse(problem: Problem) -> Response[str]:
    """RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457), with the offending fields in `errors`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [{"field": error.field, "message": error.message} for error in problem.errors],
    }
    return Response(
        status_code=problem.status,
        content_type="application/problem+json",
        body=to_json(body),
        headers={**CORS, "Cache-Control": "no-store", **problem.headers},
    )


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


def _no_such_route(_: NotFoundError) -> Response[str]:
    return refuse(Problem(404, "no such resource"))


def _unavailable(error: Exception) -> Response[str]:
    logger.exception("storage or queue unavailable", extra={"reason": str(error)})
    return refuse(Problem(503, "try again in a moment", headers={"Retry-After": "1"}))
