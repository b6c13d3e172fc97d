"""Verify the tokens of an OpenID Connect issuer. Only the authorizer and the relay import this.

The checks are those of RFC 8725, https://www.rfc-editor.org/rfc/rfc8725: the algorithms are our list, the
key is the issuer's, and issuer, audience and times are checked.
"""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from threading import Lock
from typing import Any

import jwt
from jwt import PyJWK, PyJWKSet

from functions.common.clock import Clock, now_ms
from functions.common.identity import OPERATORS, Identity, owner_of

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the issuer can make. A shared secret (HMAC) is not among them."""
MAX_TOKEN = 8 * 1024
LEEWAY_SECONDS = 5
"""How far the issuer's clock may be ahead. An expired token is never accepted."""
KEYS_MAX_AGE = 60 * 60 * 1000
REFETCH_INTERVAL = 60 * 1000
"""Milliseconds. Invented key ids must not make us ask the issuer more often."""
RETRY_INTERVAL = 1000
"""Milliseconds, after an attempt that failed."""
TIMEOUT_SECONDS = 5
MAX_DOCUMENT = 256 * 1024
FETCH_ERRORS = (
    *(OSError, HTTPException),  # no answer, or an incomplete one
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError, jwt.PyJWTError),  # another document
)
TOKEN_USES = ("access", "id")
"""Cognito's names of the tokens that identify a caller."""


class InvalidToken(Exception):
    """The token is refused. The message is for logs, and does not contain the token."""


class KeysUnavailable(Exception):
    """The issuer's keys cannot be fetched, so nothing can be said about the token."""


@dataclass(frozen=True)
class TokenSettings:
    """From the environment. `oidc_jwks_url` may be empty: then the issuer's discovery document names it.

    A token is for us if its audience, or its client if it has no audience, is `oidc_audience`, or if it has
    the scope `oidc_scope`, unless that is empty.
    """

    oidc_issuer: str
    oidc_audience: str
    oidc_jwks_url: str = ""
    oidc_groups_claim: str = "groups"
    oidc_scope: str = ""


def fetch_json(url: str) -> Any:
    """Return a JSON document. Raises OSError or ValueError."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # a setting
        return json.loads(response.read(MAX_DOCUMENT))


class KeySet:
    """The issuer's public keys by id, fetched when they are first needed and kept for an hour."""

    def __init__(self, settings: TokenSettings, fetch: Callable[[str], Any], clock: Clock) -> None:
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self._url = settings.oidc_jwks_url
        self._fetching = Lock()
        self._keys: dict[str | None, PyJWK] = {}
        self._fetched_at = self._tried_at = 0

    @property
    def is_known(self) -> bool:
        """Return whether the last attempt to fetch the keys was successful."""
        return bool(self._keys) and self._fetched_at == self._tried_at

    def find(self, key_id: str | None) -> PyJWK | None:
        """Return a key that has been fetched. A token may name no key if there is only one."""
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def should_fetch(self, key_id: str | None) -> bool:
        """Return whether the keys are old, or may have changed because this one is unknown."""
        now = self._clock()
        is_fresh = now - self._fetched_at < KEYS_MAX_AGE and self.find(key_id) is not None
        interval = REFETCH_INTERVAL if self.is_known else RETRY_INTERVAL
        return not is_fresh and now - self._tried_at >= interval

    def get(self, key_id: str | None) -> PyJWK:
        """Return a key, fetched if necessary. Raises InvalidToken if the issuer does not have it.

        Raises KeysUnavailable if that is not known. Concurrent callers wait for the same request.
        """
        with self._fetching:
            if self.should_fetch(key_id):
                try:
                    self._fetch_all()
                except KeysUnavailable:
                    if self.find(key_id) is None:
                        raise
        key = self.find(key_id)
        if key is not None:
            return key
        if not self.is_known:
            raise KeysUnavailable("the issuer's keys could not be fetched shortly before")
        raise InvalidToken("it is signed by a key that the issuer does not have")

    def fetch(self) -> None:
        """Fetch the keys. Raises KeysUnavailable; the keys from before are then kept."""
        with self._fetching:
            self._fetch_all()

    def _fetch_all(self) -> None:
        self._tried_at = self._clock()
        try:
            self._keys = _parse(self._fetch(self._find_url()))
            self._fetched_at = self._tried_at
        except FETCH_ERRORS as error:
            raise KeysUnavailable(f"the issuer's keys cannot be fetched: {error!r}") from error

    def _find_url(self) -> str:
        if not self._url:
            issuer = self._settings.oidc_issuer
            document = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if document["issuer"] != issuer:
                raise ValueError(f"the discovery document is that of {document['issuer']!r}")
            self._url = str(document["jwks_uri"])
        return self._url


class TokenVerifier:
    """Verifies tokens, in any thread. `clock` returns epoch milliseconds."""

    def __init__(
        self, settings: TokenSettings, fetch: Callable[[str], Any] = fetch_json, clock: Clock = now_ms
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.keys = KeySet(settings, fetch, clock)

    def needs_keys(self, token: str) -> bool:
        """Return whether `verify` would fetch keys, which takes time. Raises InvalidToken."""
        return self.keys.should_fetch(_key_id(token))

    def verify(self, token: str) -> Identity:
        """Return whose token it is. Raises InvalidToken, or KeysUnavailable."""
        key_id = _key_id(token)
        return self._identify(self._claims(token, self.keys.get(key_id)))

    def _claims(self, token: str, key: PyJWK) -> dict[str, Any]:
        """Return the claims of a token with a valid signature, for any audience."""
        options: Any = {
            "require": ["exp", "iss", "sub"],
            "enforce_minimum_key_length": True,
            # times are checked below, against our clock
            **dict.fromkeys(("verify_aud", "verify_exp", "verify_nbf", "verify_iat"), False),
        }
        try:
            return jwt.decode(
                token, key, algorithms=ALGORITHMS, options=options, issuer=self._settings.oidc_issuer
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(f"{type(error).__name__}: {error}") from error

    def _identify(self, claims: dict[str, Any]) -> Identity:
        now = self._clock()
        expires_at = _milliseconds(claims, "exp")
        if expires_at is None or expires_at <= now:
            raise InvalidToken("it has expired")
        for name in ("nbf", "iat"):
            if (_milliseconds(claims, name) or 0) > now + LEEWAY_SECONDS * 1000:
                raise InvalidToken(f"it is not valid yet: {name} is in the future")
        if not self._is_for_us(claims):
            raise InvalidToken("it is for another audience or client")
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject:
            raise InvalidToken("it has no subject")
        groups = claims.get(self._settings.oidc_groups_claim)
        is_operator = groups == OPERATORS or (isinstance(groups, list) and OPERATORS in groups)
        return Identity(owner_of(self._settings.oidc_issuer, subject), subject, is_operator, expires_at)

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        """Return whether this token is meant for this API.

        Access tokens of Cognito have no audience, but a client. Those that are issued for the API's own scope
        are for us, whichever client asked for them.
        """
        if claims.get("token_use", "access") not in TOKEN_USES:
            return False
        scope = self._settings.oidc_scope
        if scope and scope in str(claims.get("scope", "")).split():
            return True
        audience = claims.get("aud", claims.get("client_id"))
        return self._settings.oidc_audience in (audience if isinstance(audience, list) else [audience])


def _key_id(token: str) -> str | None:
    if len(token) > MAX_TOKEN:
        raise InvalidToken("it is too long")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(f"{type(error).__name__}: {error}") from error
    if header.get("alg") not in ALGORITHMS:
        raise InvalidToken("its algorithm is not accepted")
    return header.get("kid")


def _milliseconds(claims: dict[str, Any], name: str) -> int | None:
    """Return a time in epoch milliseconds, or None if there is none. Raises InvalidToken."""
    value = claims.get(name)
    if value is None:
        return None
    try:
        return int(float(value) * 1000)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidToken(f"{name} is not a time") from error


def _parse(document: Any) -> dict[str | None, PyJWK]:
    """Return the keys for signatures of a JSON Web Key Set, RFC 7517. Keys of unknown types are left out."""
    keys = PyJWKSet.from_dict(document).keys
    return {key.key_id: key for key in keys if key.public_key_use in (None, "sig") and key.key_type != "oct"}
