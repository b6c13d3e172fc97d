"""CaloApi with sign-in: which calls check tokens, and what the function that does so may do."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from bench.cost import MEMORY_GB
from functions.common.api import OPEN_CALLS
from infra.tools.bundle import ROOT, Bundles, target_of
from tests.conftest import read, synth_stacks, templates_of
from tests.infra import SIGN_IN
from tests.infra.test_api_stack import described_calls, methods
from tests.infra.test_jobs_stack import statements

FULL = {"auth": "cognito", **dict.fromkeys(("live", "web", "ops"), "false")}
STREAM = {("GET", "/live"), ("HEAD", "/live")}
"""The relay verifies tokens itself."""


@pytest.fixture(scope="module")
def api() -> Template:
    return templates_of(**SIGN_IN)["CaloApi"]


def function(api: Template) -> dict[str, Any]:
    (properties,) = [
        resource["Properties"]
        for resource in api.find_resources("AWS::Lambda::Function").values()
        if resource["Properties"]["Handler"] == "functions.authorizer.handler.handler"
    ]
    return dict(properties)


def test_every_call_checks_the_token_except_the_documents_preflights_and_the_stream(api: Template) -> None:
    (authorizer,) = api.find_resources("AWS::ApiGateway::Authorizer")
    unchecked = set()
    for method, path, resource in methods(api):
        properties = resource["Properties"]
        if properties["AuthorizationType"] == "CUSTOM":
            assert properties["AuthorizerId"] == {"Ref": authorizer}
        elif method != "OPTIONS":
            unchecked.add((method, path))
    documents = {("GET" if call.startswith("GET") else "", call.split()[1]) for call in OPEN_CALLS}
    documents |= {("HEAD", path) for _, path in documents}
    assert unchecked == documents | STREAM


def test_the_document_says_which_calls_are_open_to_everyone() -> None:
    document = json.loads((ROOT / "infra" / "tools" / "contract.json").read_text())
    assert document["security"] == [{}, {"bearer": []}]  # without sign-in, and with it
    for method, path, operation in described_calls():
        is_open = f"{method} {path}" in OPEN_CALLS
        assert operation.get("security") == ([] if is_open else None)
        if path != "/live":
            assert ("401" in operation["responses"]) is not is_open


def test_answers_are_cached_for_five_minutes_by_the_token_alone(api: Template) -> None:
    (authorizer,) = api.find_resources("AWS::ApiGateway::Authorizer").values()
    properties = authorizer["Properties"]
    assert (properties["Type"], properties["AuthorizerResultTtlInSeconds"]) == ("TOKEN", 300)
    assert properties["IdentitySource"] == "method.request.header.Authorization"


def test_the_authorizer_may_write_its_log_and_traces_and_nothing_else(api: Template) -> None:
    own = statements(api, "AuthorizerServiceRole")
    actions = {action for statement in own for action in statement["Action"]}
    traces = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    assert actions == {"logs:CreateLogStream", "logs:PutLogEvents"} | traces
    (log,) = [statement["Resource"] for statement in own if "logs:PutLogEvents" in statement["Action"]]
    assert log["Fn::GetAtt"][0].startswith("AuthorizerLogs")


def test_a_refusal_and_unavailable_keys_have_the_contracts_form(api: Template) -> None:
    responses = {
        resource["Properties"]["ResponseType"]: resource["Properties"]
        for resource in api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    }
    prefix = "gatewayresponse.header."
    refused, failed = responses["UNAUTHORIZED"], responses["AUTHORIZER_FAILURE"]
    assert (refused["StatusCode"], failed["StatusCode"]) == ("401", "503")
    assert refused["ResponseParameters"][f"{prefix}WWW-Authenticate"] == "'Bearer'"
    assert failed["ResponseParameters"][f"{prefix}Retry-After"] == "'5'"


def test_without_sign_in_no_call_checks_tokens_and_no_authorizer_exists(
    templates: dict[str, Template],
) -> None:
    api = templates["CaloApi"]
    assert {resource["Properties"]["AuthorizationType"] for _, _, resource in methods(api)} == {"NONE"}
    assert api.find_resources("AWS::ApiGateway::Authorizer") == {}
    assert "authorizer" not in json.dumps(api.find_resources("AWS::Lambda::Function"))
    for role in ("ReadJobsServiceRole", "ChangeJobServiceRole"):
        assert "by-all" not in str(statements(api, role))


def test_with_sign_in_lists_of_all_owners_can_be_read(api: Template) -> None:
    for role in ("ReadJobsServiceRole", "ChangeJobServiceRole"):
        assert "/index/by-all" in str(statements(api, role))


def test_with_cognito_the_user_pools_tokens_are_accepted() -> None:
    for url in ("", "http://localhost:4566/{pool}/.well-known/jwks.json"):
        api = synth_stacks(**FULL, oidc_jwks_url=url)["CaloApi"]
        environment = function(api)["Environment"]["Variables"]
        assert read(api, environment["OIDC_ISSUER"]) == "/calo/sign-in/issuer"
        assert read(api, environment["OIDC_AUDIENCE"]) == "/calo/sign-in/client"
        assert (environment["OIDC_GROUPS_CLAIM"], environment["OIDC_SCOPE"]) == (
            "cognito:groups",
            "calo/jobs",
        )
        assert ("/calo/sign-in/pool" in json.dumps(api.to_json())) is bool(url)


@pytest.mark.parametrize("start", ["snapstart", "provisioned"])
def test_the_authorizer_is_started_in_advance_like_the_other_functions(start: str) -> None:
    api = synth_stacks(**SIGN_IN, live="false", web="false", ops="false", api_start=start)["CaloApi"]
    (authorizer,) = api.find_resources("AWS::ApiGateway::Authorizer").values()
    aliases = [name for name in api.find_resources("AWS::Lambda::Alias") if name.startswith("Authorizer")]
    assert len(aliases) == 1
    assert aliases[0] in json.dumps(authorizer["Properties"]["AuthorizerUri"])


def test_the_authorizer_has_the_priced_size(api: Template) -> None:
    assert function(api)["MemorySize"] / 1024 == MEMORY_GB["authorizer"]


def test_only_the_authorizers_bundle_contains_what_verifies_tokens() -> None:
    bundles = Bundles({}, target_of("lambda"))
    own, other = (set(map(_name, bundles.build(name)[0].iterdir())) for name in ("authorizer", "read_jobs"))
    packages = {"jwt", "cryptography", "cffi"}
    assert packages <= own
    assert not packages & other
    assert own - other >= packages


def _name(path: Path) -> str:
    return path.name
