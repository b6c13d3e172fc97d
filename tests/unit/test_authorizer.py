"""The authorizer: what it reads, its policy, and what it tells the functions."""

import re
import subprocess
import sys
from typing import Any

import pytest

from functions.authorizer import handler
from functions.authorizer.authorize import Unauthorized, authorize
from functions.common.identity import owner_of
from functions.common.tokens import KeysUnavailable, TokenSettings, TokenVerifier
from tests.issuer import AUDIENCE, BAD_TOKENS, Issuer
from tests.unit.factories import CONTEXT
from tests.unit.gateway import METHOD_ARN


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(TokenSettings(issuer.url, AUDIENCE), issuer.fetch)


def ask(verifier: TokenVerifier, header: str | None) -> dict[str, Any]:
    return authorize({"type": "TOKEN", "authorizationToken": header, "methodArn": METHOD_ARN}, verifier)


def test_a_valid_token_allows_every_call_of_the_stage_and_no_other(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    answer = ask(verifier, f"Bearer {issuer.token('ann')}")
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/api/*",
    }
    assert answer["principalId"] == owner_of(issuer.url, "ann")


@pytest.mark.parametrize("operator", [False, True])
def test_the_functions_are_told_who_calls_in_texts(
    issuer: Issuer, verifier: TokenVerifier, operator: bool
) -> None:
    token = issuer.token("ann", exp=4_000_000_000, groups=["operators"] if operator else ["readers"])
    assert ask(verifier, f"Bearer {token}")["context"] == {
        "owner": owner_of(issuer.url, "ann"),
        "subject": "ann",
        "operator": "true" if operator else "false",
        "expires_at": "4000000000000",
    }


@pytest.mark.parametrize("subject", ["é" * 300, "\ud800", 'a"\n\u0000b', "😀"])
def test_a_subject_of_any_text_is_passed_as_short_ascii(
    issuer: Issuer, verifier: TokenVerifier, subject: str
) -> None:
    context = ask(verifier, f"Bearer {issuer.token(subject)}")["context"]
    assert context["subject"].isascii()
    assert len(context["subject"]) <= 255
    assert context["owner"] == owner_of(issuer.url, subject)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer ", "  Bearer"])
def test_the_scheme_may_be_written_in_any_case(issuer: Issuer, verifier: TokenVerifier, scheme: str) -> None:
    assert ask(verifier, f"{scheme} {issuer.token()} ")["context"]["subject"] == "ann"


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", " ", "Bearer", "Bearer ", "Bearer  "),
        *("{}", "Basic {}", "Bearer{}", "Bearer: {}", "Token {}"),
        *("Bearer {} x", "Bearer {},Bearer {}", "Bearer Bearer {}", 'Bearer "{}"'),
    ],
)
def test_a_header_without_exactly_one_token_is_refused(
    issuer: Issuer, verifier: TokenVerifier, header: str | None
) -> None:
    text = header and header.replace("{}", issuer.token())
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        ask(verifier, text)


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_refusal_is_logged_with_its_reason_but_without_the_token(
    issuer: Issuer, verifier: TokenVerifier, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = BAD_TOKENS[name](issuer)
    with caplog.at_level("INFO"), pytest.raises(Unauthorized) as refused:
        ask(verifier, f"Bearer {token}")
    (record,) = caplog.records
    assert (record.message, bool(record.__dict__["reason"])) == ("token refused", True)
    assert refused.value.__cause__ is None
    if len(token) > 20:
        assert token not in str(record.__dict__)
        assert not re.search(r"eyJ\w{10}", str(record.__dict__))


def test_keys_that_cannot_be_fetched_are_not_a_refusal(issuer: Issuer, verifier: TokenVerifier) -> None:
    token, issuer.url = issuer.token(), "https://moved.test"
    with pytest.raises(KeysUnavailable):
        ask(verifier, f"Bearer {token}")


def test_the_handler_keeps_the_keys_between_calls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Issuer().serve() as issuer:
        monkeypatch.setenv("OIDC_ISSUER", issuer.url)
        monkeypatch.setenv("OIDC_AUDIENCE", AUDIENCE)
        handler.verifier.cache_clear()  # type: ignore[attr-defined]
        try:
            for subject in ("ann", "bob"):
                token = issuer.token(subject)
                event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": METHOD_ARN}
                assert handler.handler(event, CONTEXT)["context"]["subject"] == subject
                assert token not in capsys.readouterr().out
        finally:
            handler.verifier.cache_clear()  # type: ignore[attr-defined]
        assert len(issuer.fetched) == 2  # the discovery document and the keys


def test_the_authorizer_starts_without_the_libraries_that_it_does_not_need() -> None:
    """They take longer to import than everything else together."""
    heavy = {"boto3", "botocore.client", "msgspec"}
    code = f"import sys, functions.authorizer.handler; print({heavy} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
