"""Decide whether a call may pass, and tell its function who calls."""

from typing import Any

from functions.common.identity import Identity
from functions.common.observability import logger
from functions.common.tokens import InvalidToken, TokenVerifier

SCHEME = "bearer"
MAX_SUBJECT = 255
"""Characters. OpenID Connect allows no more."""


class Unauthorized(Exception):
    """API Gateway answers 401 if a function raises an exception with exactly this message:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html"""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def authorize(event: dict[str, Any], verifier: TokenVerifier) -> dict[str, Any]:
    """Return a policy and the caller's identity for an event with the header Authorization.

    Raises Unauthorized, or KeysUnavailable, which API Gateway answers with 503.
    """
    try:
        identity = verifier.verify(_token(event.get("authorizationToken")))
    except InvalidToken as reason:
        logger.info("token refused", extra={"reason": str(reason)})
        raise Unauthorized from None
    return {
        "principalId": identity.owner,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": _all_calls(event["methodArn"]),
                }
            ],
        },
        "context": _context(identity),
    }


def _token(header: object) -> str:
    """Return the token of the header (RFC 6750). Raises InvalidToken."""
    scheme, _, token = str(header or "").strip().partition(" ")
    if scheme.lower() != SCHEME or not token.strip():
        raise InvalidToken("the header is not Bearer <token>")
    return token.strip()


def _all_calls(method_arn: str) -> str:
    """Return the ARN of every call of the stage. API Gateway caches the policy for all of them."""
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*"


def _context(identity: Identity) -> dict[str, str]:
    """Return what functions/common/api.py reads. A subject may be any text."""
    return {
        "owner": identity.owner,
        "subject": identity.subject.encode("ascii", "backslashreplace").decode()[:MAX_SUBJECT],
        "operator": "true" if identity.is_operator else "false",
        "expires_at": str(identity.expires_at),
    }
