"""Tokens of `calo login`, kept in the system's keyring: one entry for each API."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from calo.errors import CommandError

SERVICE = "calo"
EARLY_SECONDS = 60
"""A token is renewed so long before it expires."""


@dataclass(frozen=True)
class StoredTokens:
    """What is kept. `bearer` is the token for the API, which expires at `expires_at` (epoch seconds)."""

    bearer: str
    expires_at: float
    refresh_token: str | None
    token_url: str
    client_id: str
    bearer_name: str
    """Which token of the issuer's answer the API accepts: `access_token` or `id_token`."""

    @classmethod
    def read(cls, answer: dict[str, Any], previous: "StoredTokens") -> "StoredTokens":
        """Return the tokens of an issuer's answer. Raises CommandError if one is missing."""
        bearer = answer.get(previous.bearer_name)
        if not isinstance(bearer, str):
            raise CommandError(f"the issuer sent no {previous.bearer_name}")
        lifetime = float(answer.get("expires_in", 3600))
        return cls(
            bearer,
            time.time() + lifetime,
            answer.get("refresh_token") or previous.refresh_token,
            previous.token_url,
            previous.client_id,
            previous.bearer_name,
        )


def save(url: str, tokens: StoredTokens) -> None:
    """Keep the tokens for the API at a URL. Raises CommandError without a keyring."""
    _call(lambda keyring: keyring.set_password(SERVICE, url, json.dumps(asdict(tokens))))


def load(url: str) -> StoredTokens | None:
    """Return the tokens for the API at a URL, or None if there are none, or no keyring."""
    try:
        text = _call(lambda keyring: keyring.get_password(SERVICE, url))
    except CommandError:
        return None
    try:
        return StoredTokens(**json.loads(text)) if text else None
    except (ValueError, TypeError):  # of another version of this command
        return None


def forget(url: str) -> bool:
    """Delete the tokens for the API at a URL. Return whether there were any."""
    if load(url) is None:
        return False
    _call(lambda keyring: keyring.delete_password(SERVICE, url))
    return True


def _call(action: Callable[[Any], Any]) -> Any:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise CommandError("this needs the package keyring; run: pip install 'calo[login]'") from None
    try:
        return action(keyring)
    except KeyringError as error:
        raise CommandError(
            f"the system has no usable keyring: {error}; put a token into CALO_TOKEN instead"
        ) from error
