"""What API Gateway answers by itself, in the form that the functions' refusals have.

The template is kept under `application/json`, which API Gateway uses whatever the caller accepts; the header
then says what it is. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aws_cdk import aws_apigateway as apigateway

HEADERS = {
    "Content-Type": "'application/problem+json'",
    "Cache-Control": "'no-store'",
    "Access-Control-Allow-Origin": "'*'",
    "Access-Control-Expose-Headers": "'Location,Retry-After'",
}
"""Without CORS here, a page would see a network error in place of the reason."""


@dataclass(frozen=True)
class Refusal:
    """A status and what to do about it; `retry_after` in seconds."""

    status: HTTPStatus
    detail: str
    retry_after: int | None = None


REFUSALS = {
    "BAD_REQUEST_BODY": Refusal(HTTPStatus.BAD_REQUEST, "the body is not what this call takes"),
    "BAD_REQUEST_PARAMETERS": Refusal(HTTPStatus.BAD_REQUEST, "a parameter is missing or wrong"),
    "ACCESS_DENIED": Refusal(HTTPStatus.FORBIDDEN, "this call is not allowed"),
    "INVALID_API_KEY": Refusal(HTTPStatus.FORBIDDEN, "send a valid API key in the header X-Api-Key"),
    "WAF_FILTERED": Refusal(HTTPStatus.FORBIDDEN, "the request looks like an attack"),
    # its name for a method and path that the API does not have
    "MISSING_AUTHENTICATION_TOKEN": Refusal(HTTPStatus.NOT_FOUND, "no such resource"),
    "RESOURCE_NOT_FOUND": Refusal(HTTPStatus.NOT_FOUND, "no such resource"),
    "REQUEST_TOO_LARGE": Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "send a smaller body"),
    "UNSUPPORTED_MEDIA_TYPE": Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json"),
    "THROTTLED": Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many requests; try again in a moment", 1),
    "QUOTA_EXCEEDED": Refusal(HTTPStatus.TOO_MANY_REQUESTS, "the API key's quota is used up", 3600),
    "INTEGRATION_FAILURE": Refusal(HTTPStatus.BAD_GATEWAY, "try again in a moment", 1),
    "INTEGRATION_TIMEOUT": Refusal(HTTPStatus.GATEWAY_TIMEOUT, "try again in a moment", 1),
    "DEFAULT_4XX": Refusal(HTTPStatus.BAD_REQUEST, "the request cannot be answered as it is"),
    "DEFAULT_5XX": Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "try again in a moment", 1),
}


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Give each of the API's own refusals its form."""
    for kind, refusal in REFUSALS.items():
        headers = dict(HEADERS)
        if refusal.retry_after is not None:
            headers["Retry-After"] = f"'{refusal.retry_after}'"
        api.add_gateway_response(
            kind.title().replace("_", ""),
            type=apigateway.ResponseType.of(kind),
            status_code=str(refusal.status.value),
            response_headers=headers,
            templates={"application/json": problem(refusal.status, refusal.detail)},
        )


def problem(status: HTTPStatus, detail: str) -> str:
    """RFC 9457, as `functions/common/api.py` writes it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "errors": [],
    }
    return json.dumps(body)
