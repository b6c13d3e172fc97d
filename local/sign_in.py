"""Sign-in in the local run: what the relay and the web app need to know, and users to try it with.

The emulator's Cognito signs tokens with AWS's address as their issuer, but serves keys and pages itself.
"""

import secrets
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from infra.names import OPERATORS
from infra.settings import Settings
from infra.sign_in_config import (
    SignInConfig,
    cognito_config,
    cognito_environment,
    oidc_config,
    oidc_environment,
)
from local.emulator import Emulator
from local.processes import StartError

KEYS_PATH = "/{pool}/.well-known/jwks.json"
NAMES = {"ann": False, "bob": False, "olga": True}
"""The users to create, and whether each is an operator."""


@dataclass(frozen=True)
class User:
    """A user of the emulator's user pool."""

    email: str
    password: str
    is_operator: bool


def read_settings(context: Mapping[str, str]) -> Settings:
    """Check settings as the deployment does, but without waiting for it. Raises StartError."""
    try:
        return Settings.from_context(context)
    except ValueError as error:
        raise StartError(str(error)) from error


def sign_in_settings(auth: str, endpoint: str, port: int) -> dict[str, str]:
    """Return the settings that the emulator's Cognito needs."""
    if auth != "cognito":
        return {}
    return {
        "oidc_jwks_url": endpoint + KEYS_PATH,
        "sign_in_urls": f"http://localhost:{port}/,http://127.0.0.1:{port}/",
    }


def relay_environment(settings: Settings, outputs: Mapping[str, str], region: str) -> dict[str, str]:
    """Return what the relay needs to verify callers. CaloLive passes the same to its task."""
    if settings.auth == "none":
        return {}
    ticket_secret = {"TICKET_SECRET": outputs["TicketSecret"]}
    if settings.auth == "oidc":
        return oidc_environment(settings) | ticket_secret
    pool = outputs["UserPoolId"]
    jwks_url = settings.oidc_jwks_url.replace("{pool}", pool)
    return cognito_environment(_issuer(pool, region), outputs["UserPoolClientId"], jwks_url) | ticket_secret


def web_config(settings: Settings, outputs: Mapping[str, str], region: str) -> SignInConfig | None:
    """Return what the web app needs to sign in. The front door serves Cognito's page at its own address."""
    if settings.auth == "none":
        return None
    if settings.auth == "oidc":
        return oidc_config(settings.oidc_issuer, settings.oidc_audience)
    issuer = _issuer(outputs["UserPoolId"], region)
    return cognito_config(issuer, outputs["UserPoolClientId"], hosted_url="/")


def create_users(emulator: Emulator, pool: str) -> list[User]:
    """Create the users with new passwords."""
    users = [User(f"{name}@example.com", _password(), operator) for name, operator in NAMES.items()]
    with closing(emulator.client("cognito-idp")) as cognito:
        for user in users:
            _create_user(cognito, pool, user)
    return users


def _create_user(cognito: Any, pool: str, user: User) -> None:
    attributes = [{"Name": "email", "Value": user.email}, {"Name": "email_verified", "Value": "true"}]
    key = {"UserPoolId": pool, "Username": user.email}
    cognito.admin_create_user(**key, UserAttributes=attributes, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**key, Password=user.password, Permanent=True)
    if user.is_operator:
        cognito.admin_add_user_to_group(**key, GroupName=OPERATORS)


def _password() -> str:
    """Return a password with all the kinds of characters that the pool requires."""
    return f"Calo-{secrets.token_hex(4)}-7"


def _issuer(pool: str, region: str) -> str:
    return f"https://cognito-idp.{region}.amazonaws.com/{pool}"
