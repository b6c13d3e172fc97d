"""The wiring of the stacks in each size: names and parameters lead to existing resources."""

import json
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.deployment.account import (
    Account,
    alarms,
    changed,
    content_security_policy,
    dashboards,
    directive,
    distributions,
    live_resource,
    load_balancer,
    queue_names,
    target_groups,
)


@pytest.fixture(scope="module", params=["standard", "small"])
def size(account: Account, first_output: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a size that is deployed, and restore the default one."""
    with nullcontext() if request.param == "standard" else changed(account, size=request.param):
        yield request.param


@pytest.fixture
def outputs(account: Account, size: str) -> dict[str, str]:
    return account.outputs()


def test_only_the_standard_size_has_a_dashboard_and_access_logs(account: Account, size: str) -> None:
    assert (len(dashboards(account)) > 0) == (size == "standard")
    assert len(account.resources("CaloJobs", "AWS::S3::Bucket")) == (2 if size == "standard" else 1)


def test_the_page_may_call_the_api_and_show_the_images(account: Account, outputs: dict[str, str]) -> None:
    policy = content_security_policy(account)
    api = f"https://{outputs['ApiId']}.execute-api.us-east-1.amazonaws.com"
    domains = {distribution["DomainName"] for distribution in distributions(account)}
    (images,) = [source for source in directive(policy, "img-src") if source != "'self'"]
    assert images == outputs["ImagesBaseUrl"]
    assert directive(policy, "connect-src") == ["'self'", api, images]  # to download them
    assert images.removeprefix("https://") in domains


def test_the_relays_environment_names_existing_resources(account: Account, outputs: dict[str, str]) -> None:
    arn = account.resource("CaloLive", "AWS::ECS::TaskDefinition")
    task = account.call("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    (container,) = task["containerDefinitions"]
    environment = {variable["name"]: variable["value"] for variable in container["environment"]}
    assert environment["JOBS_TABLE"] in account.call("dynamodb", "list_tables")["TableNames"]
    topics = [topic["TopicArn"] for topic in account.call("sns", "list_topics")["Topics"]]
    assert environment["TOPIC_ARN"] in topics
    assert environment["TOPIC_ARN"] == outputs["TopicArn"]


def test_the_stream_is_routed_to_the_load_balancer_through_the_link(
    account: Account, outputs: dict[str, str]
) -> None:
    balancer = load_balancer(account)
    live = live_resource(account, outputs["ApiId"])
    integration = account.call(
        "apigateway", "get_integration", restApiId=outputs["ApiId"], resourceId=live, httpMethod="GET"
    )
    assert integration["uri"] == f"http://{balancer['DNSName']}/live"
    # MiniStack's API does not return these
    (properties,) = [
        method["Integration"]
        for method in account.recorded("AWS::ApiGateway::Method", "CaloApi")
        if method["Integration"]["Type"] == "HTTP_PROXY" and method["HttpMethod"] == "GET"
    ]
    assert properties["ConnectionId"] == account.resource("CaloLive", "AWS::ApiGatewayV2::VpcLink")
    assert properties["IntegrationTarget"] == balancer["LoadBalancerArn"]
    assert properties["ResponseTransferMode"] == "STREAM"


def test_the_functions_environments_name_existing_resources(
    account: Account, outputs: dict[str, str]
) -> None:
    tables = account.call("dynamodb", "list_tables")["TableNames"]
    queues = queue_names(account)
    secrets = {
        secret[field]
        for secret in account.pages("secretsmanager", "list_secrets", "SecretList")
        for field in ("ARN", "Name")  # MiniStack inserts the name where AWS inserts the ARN
    }
    checked = 0
    for function in account.pages("lambda", "list_functions", "Functions"):
        variables = function.get("Environment", {}).get("Variables", {})
        for name, value in variables.items():
            if name.endswith("_TABLE"):
                assert value in tables
                checked += 1
            if name.endswith("QUEUE_URL"):
                assert value.rsplit("/", 1)[1] in queues
                checked += 1
            if name == "KINDS":
                names = {kind["queue"].rsplit("/", 1)[1] for kind in json.loads(value).values()}
                assert len(names) == 2
                assert names <= queues
                checked += 1
            if name == "SECRETS":
                assert set(json.loads(value).values()) <= secrets
                checked += 1
    assert checked >= 23


def test_alarms_watch_existing_resources(account: Account, outputs: dict[str, str]) -> None:
    existing = {
        "QueueName": queue_names(account),
        "FunctionName": {
            function["FunctionName"] for function in account.pages("lambda", "list_functions", "Functions")
        },
        "PipeName": {pipe["Name"] for pipe in account.pages("pipes", "list_pipes", "Pipes")},
        "ApiName": {api["name"] for api in account.pages("apigateway", "get_rest_apis", "items")},
        "LoadBalancer": {load_balancer(account)["LoadBalancerArn"].split(":loadbalancer/")[1]},
        "TargetGroup": target_groups(account),
        "service": {"job_worker", "job_watchdog", "sse_relay"},
        "budget": {"unsplash"},
        "place": {"jobs table", "jobs stream", "API"},
    }
    dimensions = [dimension for alarm in alarms(account) for dimension in alarm]
    assert len(dimensions) >= 14
    missing = [dimension for dimension in dimensions if dimension["Value"] not in existing[dimension["Name"]]]
    assert missing == []
