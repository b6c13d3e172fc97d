"""Verify the token of a call before API Gateway passes the call to its function."""

import os
from dataclasses import dataclass
from typing import Any

from functions.authorizer.authorize import authorize
from functions.common.observability import instrumented
from functions.common.settings import load
from functions.common.start_up import at_start
from functions.common.tokens import TokenSettings, TokenVerifier


@dataclass(frozen=True)
class AuthorizerSettings(TokenSettings):
    """Environment variables: those of the verifier."""


@at_start
def verifier() -> TokenVerifier:
    """Read the settings, once per process. The keys are fetched with the first token."""
    return TokenVerifier(load(AuthorizerSettings, os.environ))


@instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of an authorizer of the type TOKEN."""
    return authorize(event, verifier())
