"""What the web app must know in order to sign in: `signIn` in its config.json.

This module does not import the CDK, so that the local run can use it without loading the CDK.
"""

from typing import TypedDict
from urllib.parse import urlsplit

from infra.names import COGNITO_SCOPE


class SignInConfig(TypedDict):
    """`hostedUrl` is the address of Cognito's page, or empty: then the issuer's discovery document names all.

    `bearer` is the token that the API accepts: Cognito's access tokens name the API's scope, and ID tokens of
    other issuers have the client as their audience.
    """

    issuer: str
    clientId: str
    scope: str
    hostedUrl: str
    bearer: str


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
