"""API Gateway in process: it asks the authorizer, keeps its answers, and calls the function of the call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.authorizer.authorize import Unauthorized, authorize
from functions.common.api import OPEN_CALLS, Api
from functions.common.tokens import TokenVerifier
from tests.unit.factories import ParsedResponse, api_event

METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/api/GET/jobs"
CALLS = (
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("POST", "/jobs/bulk"),
    ("POST", "/jobs/retry"),
    ("POST", "/jobs/cancel"),
    ("GET", "/jobs/{id}"),
    ("GET", "/jobs/{id}/history"),
    ("DELETE", "/jobs/{id}"),
    ("POST", "/jobs/{id}/retry"),
    ("GET", "/jobs/{id}/deliveries"),
    ("POST", "/jobs/{id}/deliveries"),
    ("GET", "/webhooks/secret"),
    ("POST", "/webhooks/secret"),
    ("GET", "/stats"),
    ("POST", "/schedules"),
    ("GET", "/schedules"),
    ("GET", "/schedules/{id}"),
    ("PATCH", "/schedules/{id}"),
    ("DELETE", "/schedules/{id}"),
)
"""The calls that need sign-in, except those of the live stream. A test compares them with the contract."""

BODIES = {
    ("POST", "/jobs/bulk"): '{"jobs": [{}]}',
    ("POST", "/schedules"): '{"cron": "0 9 * * *"}',
    ("PATCH", "/schedules/{id}"): '{"paused": true}',
}
"""Those of the calls that need one."""


@dataclass
class Gateway:
    """`functions` handle the calls. Like API Gateway, it does not ask again for a token that it has seen."""

    functions: list[Api]
    verifier: TokenVerifier
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def call(
        self, method: str, path: str, token: str | None = None, *, header: str | None = None, **event: Any
    ) -> ParsedResponse:
        """Make a call with a token, or with this value of the header Authorization."""
        passed = api_event(method, path, **event)
        call = f"{method} {passed['resource']}"
        authorization = f"Bearer {token}" if token is not None else header
        if call not in OPEN_CALLS:
            if not authorization:
                return REFUSED
            try:
                passed["requestContext"]["authorizer"] = self._ask(authorization)
            except Unauthorized:
                return REFUSED
        (function,) = [function for function in self.functions if call in function.routes]
        return ParsedResponse.read(function.handle(passed))

    def _ask(self, authorization: str) -> Mapping[str, Any]:
        if authorization not in self._answers:
            event = {"type": "TOKEN", "authorizationToken": authorization, "methodArn": METHOD_ARN}
            self._answers[authorization] = authorize(event, self.verifier)
        answer = self._answers[authorization]
        return {**answer["context"], "principalId": answer["principalId"], "integrationLatency": 5}


REFUSED = ParsedResponse(401, {}, None)
"""API Gateway's own answer. Its form is in the template."""
