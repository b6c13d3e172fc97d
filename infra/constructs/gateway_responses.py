"""API Gateway's own error responses, in the format of the functions' errors.

API Gateway always uses the template for `application/json`, whatever the client accepts. The Content-Type
header then declares the actual type.
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aws_cdk import aws_apigateway as apigateway

HEADERS = {
    "Content-Type": "'application/problem+json'",
    "Cache-Control": "'no-store'",
    "Access-Control-Allow-Origin": "'*'",
    "Access-Control-Expose-Headers": "'Location,Retry-After'",
}
"""Without the CORS headers, a page could not read the error."""


@dataclass(frozen=True)
class ErrorResponse:
    """A status and a detail that tells the caller what to do. `retry_after` is in seconds.

    `headers` are added to those of all error responses.
    """

    status: HTTPStatus
    detail: str
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


ERROR_RESPONSES = {
    "BAD_REQUEST_BODY": ErrorResponse(HTTPStatus.BAD_REQUEST, "send a valid request body"),
    "BAD_REQUEST_PARAMETERS": ErrorResponse(HTTPStatus.BAD_REQUEST, "a parameter is missing or invalid"),
    "UNAUTHORIZED": ErrorResponse(
        HTTPStatus.UNAUTHORIZED,
        "sign in, and send the header Authorization: Bearer <token>",
        headers={"WWW-Authenticate": "'Bearer'"},
    ),
    "ACCESS_DENIED": ErrorResponse(HTTPStatus.FORBIDDEN, "this call is not allowed"),
    "INVALID_API_KEY": ErrorResponse(HTTPStatus.FORBIDDEN, "send a valid API key in the header X-Api-Key"),
    "WAF_FILTERED": ErrorResponse(HTTPStatus.FORBIDDEN, "the firewall rejected the request"),
    # API Gateway's name for a method and path that the API does not have
    "MISSING_AUTHENTICATION_TOKEN": ErrorResponse(HTTPStatus.NOT_FOUND, "no such resource"),
    "RESOURCE_NOT_FOUND": ErrorResponse(HTTPStatus.NOT_FOUND, "no such resource"),
    "REQUEST_TOO_LARGE": ErrorResponse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "send a smaller body"),
    "UNSUPPORTED_MEDIA_TYPE": ErrorResponse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json"),
    "THROTTLED": ErrorResponse(HTTPStatus.TOO_MANY_REQUESTS, "too many requests; try again later", 1),
    "QUOTA_EXCEEDED": ErrorResponse(
        HTTPStatus.TOO_MANY_REQUESTS, "the quota of the API key is exceeded", 3600
    ),
    # the issuer's keys cannot be fetched, or the function that verifies tokens is throttled
    "AUTHORIZER_FAILURE": ErrorResponse(HTTPStatus.SERVICE_UNAVAILABLE, "try again later", 5),
    "AUTHORIZER_CONFIGURATION_ERROR": ErrorResponse(HTTPStatus.SERVICE_UNAVAILABLE, "try again later", 5),
    "INTEGRATION_FAILURE": ErrorResponse(HTTPStatus.BAD_GATEWAY, "try again later", 1),
    "INTEGRATION_TIMEOUT": ErrorResponse(HTTPStatus.GATEWAY_TIMEOUT, "try again later", 1),
    "DEFAULT_4XX": ErrorResponse(HTTPStatus.BAD_REQUEST, "the request is invalid"),
    "DEFAULT_5XX": ErrorResponse(HTTPStatus.INTERNAL_SERVER_ERROR, "try again later", 1),
}
"""The error responses by API Gateway's response type."""


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Replace the API's default error responses."""
    for response_type, response in ERROR_RESPONSES.items():
        headers = {**HEADERS, **response.headers}
        if response.retry_after is not None:
            headers["Retry-After"] = f"'{response.retry_after}'"
        api.add_gateway_response(
            response_type.title().replace("_", ""),
            type=apigateway.ResponseType.of(response_type),
            status_code=str(response.status.value),
            response_headers=headers,
            templates={"application/json": problem(response.status, response.detail)},
        )


def problem(status: HTTPStatus, detail: str) -> str:
    """Return an RFC 9457 problem as JSON, with the same fields as `functions/common/api.py`."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "errors": [],
    }
    return json.dumps(body)
