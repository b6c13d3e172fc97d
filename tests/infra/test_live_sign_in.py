"""CaloLive with sign-in: what the relay needs in order to verify callers, and what is not written down."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from bench.cost import MEMORY_GB
from tests.conftest import read, synth_stacks, templates_of
from tests.infra import SIGN_IN
from tests.infra.test_api_stack import routes
from tests.infra.test_jobs_stack import statements
from tests.infra.test_live_stack import all_of, as_dict, only

SECRET = "/calo/ticket-secret"  # the name of a parameter


@pytest.fixture(scope="module")
def stacks() -> dict[str, Template]:
    return templates_of(**SIGN_IN)


def environment(live: Template) -> dict[str, Any]:
    (container,) = only(live, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return as_dict(container["Environment"], "Name")


def test_the_relay_knows_the_issuer_and_the_key_of_tickets(stacks: dict[str, Template]) -> None:
    live = stacks["CaloLive"]
    variables = environment(live)
    assert variables["OIDC_ISSUER"] == "https://issuer.test"
    assert variables["OIDC_AUDIENCE"] == "calo"
    assert read(live, variables["TICKET_SECRET"]) == SECRET


def test_the_relay_may_read_that_key_and_no_other(stacks: dict[str, Template]) -> None:
    live = stacks["CaloLive"]
    reads = [each for each in statements(live, "TaskTaskRole") if "secretsmanager" in str(each["Action"])]
    assert [each["Action"] for each in reads] == ["secretsmanager:GetSecretValue"]
    assert read(live, reads[0]["Resource"]) == SECRET


def test_the_load_balancer_does_not_log_the_tickets_in_urls(
    stacks: dict[str, Template], templates: dict[str, Template]
) -> None:
    for template, expected in ((stacks["CaloLive"], None), (templates["CaloLive"], "true")):
        balancer = only(template, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        attributes = as_dict(balancer["LoadBalancerAttributes"])
        assert attributes.get("access_logs.s3.enabled") == expected


def test_the_api_logs_neither_queries_nor_headers(stacks: dict[str, Template]) -> None:
    """A ticket is in the query, and the path in the log is that of the resource."""
    stage = only(stacks["CaloApi"], "AWS::ApiGateway::Stage")
    log_format = json.loads(stage["AccessLogSetting"]["Format"])
    assert set(log_format.values()) == {
        "$context.requestId", "$context.identity.sourceIp", "$context.requestTime", "$context.httpMethod",
        "$context.resourcePath", "$context.status", "$context.protocol", "$context.responseLength",
    }  # fmt: skip
    for settings in stage["MethodSettings"]:
        assert settings["LoggingLevel"] == "ERROR"
        assert settings.get("DataTraceEnabled") is False


def test_the_firewall_shows_no_samples_of_requests(
    stacks: dict[str, Template], templates: dict[str, Template]
) -> None:
    for template, samples in ((stacks["CaloApi"], False), (templates["CaloApi"], True)):
        acl = only(template, "AWS::WAFv2::WebACL")
        configurations = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
        assert {each["SampledRequestsEnabled"] for each in configurations} == {samples}


def test_the_key_is_generated_and_deleted_with_its_stack(stacks: dict[str, Template]) -> None:
    jobs = stacks["CaloJobs"]
    (secret,) = [
        each
        for name, each in jobs.find_resources("AWS::SecretsManager::Secret").items()
        if name.startswith("TicketKey")
    ]
    assert secret["Properties"]["GenerateSecretString"] == {"ExcludePunctuation": True, "PasswordLength": 64}
    assert secret["DeletionPolicy"] == "Delete"
    assert "TicketSecret" in jobs.find_outputs("*")


def test_without_sign_in_there_is_no_key(templates: dict[str, Template]) -> None:
    assert "TicketKey" not in json.dumps(templates["CaloJobs"].to_json())
    assert "secretsmanager" not in json.dumps(templates["CaloLive"].to_json())
    assert not {name for name in environment(templates["CaloLive"]) if name.startswith(("OIDC", "TICKET"))}


def test_the_function_of_tickets_may_read_the_key_write_its_log_and_nothing_else(
    stacks: dict[str, Template], templates: dict[str, Template]
) -> None:
    api = stacks["CaloApi"]
    own = {action: each for each in statements(api, "CreateTicketServiceRole") for action in actions(each)}
    logs, traces = (
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        ("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    )
    assert set(own) == {"secretsmanager:GetSecretValue", *logs, *traces}
    assert read(api, own["secretsmanager:GetSecretValue"]["Resource"]) == SECRET
    (function,) = [
        each for each in all_of(api, "AWS::Lambda::Function") if ".create_ticket." in each["Handler"]
    ]
    assert function["MemorySize"] / 1024 == MEMORY_GB["create_ticket"]
    assert "create_ticket" not in json.dumps(templates["CaloApi"].to_json())


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def test_tickets_exist_without_the_relays_stack_as_in_the_local_run() -> None:
    api = synth_stacks(**SIGN_IN, live="false", web="false", ops="false")["CaloApi"]
    assert ("POST", "/live/tickets") in routes(api)
    assert ("GET", "/live") not in routes(api)
