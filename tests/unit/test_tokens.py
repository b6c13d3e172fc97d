"""Tokens are verified: signature, issuer, audience or client, times, subject. Keys are cached."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine, IncompleteRead
from typing import Any

import pytest

from functions.common.identity import owner_of
from functions.common.tokens import InvalidToken, KeysUnavailable, TokenSettings, TokenVerifier
from tests.issuer import AUDIENCE, BAD_TOKENS, HOUR, Issuer


class Clock:
    def __init__(self) -> None:
        self.now = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> TokenVerifier:
    return make_verifier(issuer, clock)


def make_verifier(issuer: Issuer, clock: Clock, **settings: str) -> TokenVerifier:
    return TokenVerifier(TokenSettings(issuer.url, AUDIENCE, **settings), issuer.fetch, clock)


def test_a_token_identifies_its_subject(issuer: Issuer, verifier: TokenVerifier) -> None:
    expires_at = int(time.time()) + 60
    identity = verifier.verify(issuer.token("ann", exp=expires_at))
    assert (identity.subject, identity.is_operator) == ("ann", False)
    assert identity.expires_at == expires_at * 1000
    assert identity.owner == owner_of(issuer.url, "ann")


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_is_refused(name: str, issuer: Issuer, verifier: TokenVerifier) -> None:
    verifier.verify(issuer.token())  # the keys are there
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(BAD_TOKENS[name](issuer))
    assert "eyJ" not in str(refused.value), "the reason must not contain the token"


def test_owners_are_stable_printable_and_different() -> None:
    owners = {
        owner_of(issuer, subject)
        for issuer in ("https://a.test", "https://a.test/b", "")
        for subject in ("ann", "bob", "b\nann", "ä", "\ud800")
    }
    assert len(owners) == 15
    assert all(len(owner) == 32 and owner.isalnum() for owner in owners)
    assert owner_of("https://a.test", "ann") == "eb898c8302e274560e29c1d649624056"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [AUDIENCE, "other"]},
        {"aud": None, "client_id": AUDIENCE},
        {"aud": None, "client_id": AUDIENCE, "token_use": "access"},
        {"token_use": "id"},
        {"nbf": int(time.time())},
        {"nbf": None, "iat": None},
    ],
)
def test_audience_or_client(claims: dict[str, Any], issuer: Issuer, verifier: TokenVerifier) -> None:
    assert verifier.verify(issuer.token(**claims)).subject == "ann"


def test_the_api_s_own_scope_is_enough_only_if_set(issuer: Issuer, clock: Clock) -> None:
    token = issuer.token(aud=None, client_id="machine", scope="email calo/jobs", token_use="access")
    assert make_verifier(issuer, clock, oidc_scope="calo/jobs").verify(token).subject == "ann"
    with pytest.raises(InvalidToken):
        make_verifier(issuer, clock).verify(token)
    other = issuer.token(aud=None, client_id="machine", scope="calo/jobs2")
    with pytest.raises(InvalidToken):
        make_verifier(issuer, clock, oidc_scope="calo/jobs").verify(other)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [(["operators"], True), (["a", "operators"], True), ("operators", True), (["operators2"], False),
     ("all operators", False), ({"operators": 1}, False), (None, False), (7, False)],
)  # fmt: skip
def test_operators_are_members_of_a_group(groups: Any, expected: bool, issuer: Issuer, clock: Clock) -> None:
    verifier = make_verifier(issuer, clock, oidc_groups_claim="cognito:groups")
    token = issuer.token(**{"cognito:groups": groups, "groups": ["operators"]})
    assert verifier.verify(token).is_operator == expected


def test_a_token_expires_without_leeway(issuer: Issuer, verifier: TokenVerifier, clock: Clock) -> None:
    token = issuer.token()
    expires_at = verifier.verify(token).expires_at
    assert expires_at is not None
    clock.now = expires_at - 1
    verifier.verify(token)
    clock.now = expires_at
    with pytest.raises(InvalidToken):
        verifier.verify(token)


# --- keys ---


def test_keys_are_fetched_once(issuer: Issuer, verifier: TokenVerifier) -> None:
    for _ in range(3):
        verifier.verify(issuer.token())
    assert issuer.fetched == [f"{issuer.url}/.well-known/openid-configuration", f"{issuer.url}/keys"]
    assert not verifier.needs_keys(issuer.token())


def test_the_address_of_the_keys_can_be_set(issuer: Issuer, clock: Clock) -> None:
    verifier = make_verifier(issuer, clock, oidc_jwks_url=f"{issuer.url}/keys")
    verifier.verify(issuer.token())
    assert issuer.fetched == [f"{issuer.url}/keys"]


def test_an_unknown_key_is_looked_up_once_a_minute(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    verifier.verify(issuer.token())
    for _ in range(5):
        with pytest.raises(InvalidToken):
            verifier.verify(issuer.token(key_id="k2"))
    assert issuer.fetched.count(f"{issuer.url}/keys") == 1, "they were just fetched"
    issuer.key_ids = ["k2"]
    clock.now += 60_000
    assert verifier.verify(issuer.token(key_id="k2", exp=clock.now // 1000 + HOUR)).subject == "ann"
    assert issuer.fetched.count(f"{issuer.url}/keys") == 2
    with pytest.raises(InvalidToken):
        verifier.verify(issuer.token(key_id="k1"))


def test_a_removed_key_is_accepted_for_at_most_an_hour(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    issuer.key_ids = ["k1", "k2"]
    token = issuer.token(exp=clock.now // 1000 + 3 * HOUR)
    verifier.verify(token)
    issuer.key_ids = ["k2"]
    clock.now += HOUR * 1000
    with pytest.raises(InvalidToken):
        verifier.verify(token)


def test_an_issuer_that_cannot_be_reached_refuses_nobody(issuer: Issuer, clock: Clock) -> None:
    good, url = issuer.token(exp=clock.now // 1000 + 3 * HOUR), issuer.url
    verifier = make_verifier(issuer, clock)
    issuer.url = "https://elsewhere.test"
    with pytest.raises(KeysUnavailable):
        verifier.verify(good)
    with pytest.raises(KeysUnavailable):
        verifier.verify(good)
    issuer.url = url
    clock.now += 1000
    verifier.verify(good)
    issuer.url = "https://elsewhere.test"
    clock.now += HOUR * 1000
    verifier.verify(good)  # by the keys from before
    unknown = Issuer(url).token(key_id="k2", exp=clock.now // 1000 + 3 * HOUR)
    with pytest.raises(KeysUnavailable):
        verifier.verify(unknown)


@pytest.mark.parametrize("error", [OSError(), IncompleteRead(b""), BadStatusLine(""), RecursionError()])
def test_whatever_the_issuer_answers_the_keys_are_unavailable(
    error: Exception, issuer: Issuer, clock: Clock
) -> None:
    def fetch(_: str) -> Any:
        raise error

    with pytest.raises(KeysUnavailable):
        TokenVerifier(TokenSettings(issuer.url, AUDIENCE), fetch, clock).verify(issuer.token())


@pytest.mark.parametrize(
    "document", [{}, {"keys": []}, {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}]}, [], None, "keys"]
)
def test_documents_without_keys(document: Any, issuer: Issuer, clock: Clock) -> None:
    def fetch(_: str) -> Any:
        return document

    settings = TokenSettings(issuer.url, AUDIENCE, oidc_jwks_url="https://issuer.test/keys")
    with pytest.raises((KeysUnavailable, InvalidToken)):
        TokenVerifier(settings, fetch, clock).verify(issuer.token())


def test_a_discovery_document_of_another_issuer_is_not_used(issuer: Issuer, clock: Clock) -> None:
    def fetch(url: str) -> Any:
        return {**issuer.discovery, "issuer": "https://other.test"} if "well-known" in url else issuer.keys

    verifier = TokenVerifier(TokenSettings(issuer.url, AUDIENCE), fetch, clock)
    with pytest.raises(KeysUnavailable, match="other"):
        verifier.verify(issuer.token())


def test_the_stand_in_serves_what_it_says(clock: Clock) -> None:
    with Issuer().serve() as issuer:
        settings = TokenSettings(issuer.url, AUDIENCE)
        assert TokenVerifier(settings, clock=clock).verify(issuer.token("bob")).subject == "bob"
        json.dumps(issuer.keys)


def test_callers_at_the_same_time_wait_for_the_same_keys(issuer: Issuer, clock: Clock) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def fetch(url: str) -> Any:
        asked.set()
        assert may_answer.wait(30)
        return issuer.fetch(url)

    verifier = TokenVerifier(TokenSettings(issuer.url, AUDIENCE), fetch, clock)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(verifier.keys.fetch)
        assert asked.wait(30)
        second = pool.submit(verifier.verify, issuer.token())
        may_answer.set()
        first.result(30)
        assert second.result(30).subject == "ann"
    assert issuer.fetched.count(f"{issuer.url}/keys") == 1
