"""What the parts of the system must know about the issuer: the web app, and processes that verify tokens.

This module does not import the CDK, so that the local run can use it without loading the CDK.
"""

from typing import TypedDict
from urllib.parse import urlsplit

from infra.names import COGNITO_GROUPS_CLAIM, COGNITO_SCOPE
from infra.settings import Settings


class SignInConfig(TypedDict):
    """`signIn` in the web app's config.json.

    `hostedUrl` is the address of Cognito's page, or empty: then the issuer's discovery document names all.

    `bearer` is the token that the API accepts: Cognito's access tokens name the API's scope, and ID tokens of
    other issuers have the client as their audience.
    """

    issuer: str
    clientId: str
    scope: str
    hostedUrl: str
    bearer: str


def oidc_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the verifier (functions/common/tokens.py) with `auth=oidc`."""
    return {
        "OIDC_ISSUER": settings.oidc_issuer,
        "OIDC_AUDIENCE": settings.oidc_audience,
        "OIDC_JWKS_URL": settings.oidc_jwks_url,
        "OIDC_GROUPS_CLAIM": settings.oidc_groups_claim,
    }


def cognito_environment(issuer: str, client_id: str, jwks_url: str) -> dict[str, str]:
    """Return the environment of the verifier with `auth=cognito`."""
    return {
        "OIDC_ISSUER": issuer,
        "OIDC_AUDIENCE": client_id,
        "OIDC_JWKS_URL": jwks_url,
        "OIDC_GROUPS_CLAIM": COGNITO_GROUPS_CLAIM,
        "OIDC_SCOPE": COGNITO_SCOPE,
    }


def cognito_config(issuer: str, client_id: str, hosted_url: str) -> SignInConfig:
    return {
        "issuer": issuer,
        "clientId": client_id,
        "scope": f"openid email {COGNITO_SCOPE}",
        "hostedUrl": hosted_url,
        "bearer": "access_token",
    }


def oidc_config(issuer: str, client_id: str) -> SignInConfig:
    return {
        "issuer": issuer,
        "clientId": client_id,
        "scope": "openid email profile",
        "hostedUrl": "",
        "bearer": "id_token",
    }


def origin(url: str) -> str:
    """Return the origin of a URL, for the content security policy."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
