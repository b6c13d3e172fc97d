"""Create all five stacks, change each setting from the default and back, and destroy the stacks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.declarations import declare
from tests.deployment.conftest import Account

ALL = {"CaloJobs", "CaloLive", "CaloApi", "CaloWeb", "CaloOps"}
SIZES: list[dict[str, str]] = [{}, {"size": "small"}]


@pytest.fixture(scope="module", params=SIZES, ids=str)
def deployed(account: Account, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Deploy all stacks of this size, yield their outputs, and destroy the stacks."""
    outputs = account.deploy(**request.param)
    assert account.stacks() == dict.fromkeys(ALL, "CREATE_COMPLETE")
    yield outputs
    account.destroy(**request.param)
    assert account.stacks() == {}


def test_the_page_may_call_the_api_and_show_the_images(account: Account, deployed: dict[str, str]) -> None:
    policy = content_security_policy(account)
    api = f"https://{deployed['ApiId']}.execute-api.us-east-1.amazonaws.com"
    domains = {distribution["DomainName"] for distribution in distributions(account)}
    (images,) = [source for source in directive(policy, "img-src") if source != "'self'"]
    assert images == deployed["ImagesBaseUrl"]
    assert directive(policy, "connect-src") == ["'self'", api, images]  # to download them
    assert images.removeprefix("https://") in domains


def test_the_relays_environment_names_existing_resources(account: Account, deployed: dict[str, str]) -> None:
    arn = account.resource("CaloLive", "AWS::ECS::TaskDefinition")
    task = account.call("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    (container,) = task["containerDefinitions"]
    environment = {variable["name"]: variable["value"] for variable in container["environment"]}
    assert environment["JOBS_TABLE"] in account.call("dynamodb", "list_tables")["TableNames"]
    topics = [topic["TopicArn"] for topic in account.call("sns", "list_topics")["Topics"]]
    assert environment["TOPIC_ARN"] in topics
    assert environment["TOPIC_ARN"] == deployed["TopicArn"]


def test_the_stream_is_routed_to_the_load_balancer_through_the_link(
    account: Account, deployed: dict[str, str]
) -> None:
    balancer = load_balancer(account)
    live = live_resource(account, deployed["ApiId"])
    integration = account.call(
        "apigateway", "get_integration", restApiId=deployed["ApiId"], resourceId=live, httpMethod="GET"
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
    account: Account, deployed: dict[str, str]
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


def test_alarms_watch_existing_resources(account: Account, deployed: dict[str, str]) -> None:
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


SETTINGS: list[dict[str, str]] = [
    {"live": "false", "kind.photo.timeout": "30", "kind.*.concurrency": "3", "budget.unsplash": "100/60"},
    {"api_key": "true", "web": "false"},
    {"images": "hotlink", "ops": "false"},
    {"size": "small"},  # also without access logs
    {"auth": "cognito"},
]
"""Settings that remove resources or change names which other stacks read."""


@pytest.fixture(scope="module")
def defaults(account: Account) -> Iterator[Account]:
    """Deploy the defaults. A test may change the deployment if it restores it."""
    account.deploy()
    yield account
    account.destroy()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_setting_can_be_changed_after_the_first_deployment_and_changed_back(
    defaults: Account, settings: dict[str, str]
) -> None:
    before = content_security_policy(defaults), routes(defaults), dashboards(defaults)
    defaults.deploy(**settings)
    assert_complete(defaults)
    omitted = {f"Calo{name.title()}" for name in ("live", "web", "ops") if settings.get(name) == "false"}
    for stack in ("CaloOps", "CaloWeb", "CaloLive"):
        if stack in omitted:  # as `make deploy` instructs
            defaults.call("cloudformation", "delete_stack", StackName=stack)
    assert set(defaults.stacks()) == ALL - omitted
    assert ("/live" in routes(defaults)) == ("CaloLive" not in omitted)
    assert bool(dashboards(defaults)) == ("CaloOps" not in omitted and "size" not in settings)
    assert bool(defaults.resources("CaloApi", "AWS::ApiGateway::ApiKey")) == ("api_key" in settings)
    buckets = len(defaults.resources("CaloJobs", "AWS::S3::Bucket"))
    assert buckets == (1 if settings.keys() & {"images", "size"} else 2)
    if "CaloWeb" not in omitted:
        hotlinked = "https://images.unsplash.com" in content_security_policy(defaults)
        assert hotlinked == ("images" in settings)
    defaults.deploy()
    assert set(defaults.stacks()) == ALL
    assert_complete(defaults)
    after = content_security_policy(defaults), routes(defaults), dashboards(defaults)
    assert without_names(after) == without_names(before)


def test_a_kind_can_be_added_and_removed(defaults: Account, tmp_path: Path) -> None:
    """One file, nothing else. The other kinds keep their queues."""
    options = "secrets=('words_key',), budgets=(Budget('words', limit=5, seconds=10),), stores_files=True"
    (tmp_path / "words.py").write_text(declare("words", options))
    before = queue_names(defaults)
    outputs = defaults.deploy(kinds_folders=str(tmp_path))
    assert_complete(defaults)
    (queue,) = queue_names(defaults) - before
    assert before < queue_names(defaults)
    assert outputs["JobsQueueUrlWords"].endswith(queue)
    assert outputs["SecretWordsKey"]
    kinds = {
        name: kind["queue"].rsplit("/", 1)[1]
        for function in defaults.pages("lambda", "list_functions", "Functions")
        if "CreateJob" in function["FunctionName"]
        for name, kind in json.loads(function["Environment"]["Variables"]["KINDS"]).items()
    }
    assert set(kinds) == {"countdown", "photo", "words"}
    assert kinds["words"] == queue
    defaults.deploy()
    assert_complete(defaults)
    assert queue_names(defaults) == before


def test_a_changed_parameter_reaches_a_stack_whose_template_is_unchanged(defaults: Account) -> None:
    parameter = "/calo/images-base-url"
    value = defaults.call("ssm", "get_parameter", Name=parameter)["Parameter"]["Value"]
    for images in ("https://images.example", value):
        defaults.call("ssm", "put_parameter", Name=parameter, Value=images, Overwrite=True)
        assert images not in content_security_policy(defaults)
        defaults.deploy()
        assert images in content_security_policy(defaults)


def assert_complete(account: Account) -> None:
    assert set(account.stacks().values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def content_security_policy(account: Account) -> str:
    headers = account.resource("CaloWeb", "AWS::CloudFront::ResponseHeadersPolicy")
    policy = account.call("cloudfront", "get_response_headers_policy", Id=headers)["ResponseHeadersPolicy"]
    security = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    return str(security["ContentSecurityPolicy"]["ContentSecurityPolicy"])


def directive(policy: str, name: str) -> list[str]:
    (text,) = [text for text in policy.split("; ") if text.startswith(f"{name} ")]
    return text.split()[1:]


def without_names(state: tuple[str, set[str], list[str]]) -> Any:
    """Remove the names of resources, which change when a resource is created again."""
    policy, paths, boards = state
    return [text.split()[0] for text in policy.split("; ")], paths, len(boards)


def distributions(account: Account) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = account.call("cloudfront", "list_distributions")["DistributionList"][
        "Items"
    ]
    return items


def load_balancer(account: Account) -> dict[str, Any]:
    (balancer,) = account.call("elbv2", "describe_load_balancers")["LoadBalancers"]
    return dict(balancer)


def target_groups(account: Account) -> set[str]:
    """Return the names of the target groups as in MiniStack's metrics, without the prefix `targetgroup/`."""
    groups = account.pages("elbv2", "describe_target_groups", "TargetGroups")
    return {group["TargetGroupArn"].split(":targetgroup/")[1] for group in groups}


def queue_names(account: Account) -> set[str]:
    return {url.rsplit("/", 1)[1] for url in account.call("sqs", "list_queues")["QueueUrls"]}


def resources(account: Account, api_id: str) -> dict[str, str]:
    items = account.pages("apigateway", "get_resources", "items", restApiId=api_id)
    return {resource["path"]: resource["id"] for resource in items}


def routes(account: Account) -> set[str]:
    return set(resources(account, account.resource("CaloApi", "AWS::ApiGateway::RestApi")))


def live_resource(account: Account, api_id: str) -> str:
    return resources(account, api_id)["/live"]


def dashboards(account: Account) -> list[str]:
    return [
        entry["DashboardName"] for entry in account.call("cloudwatch", "list_dashboards")["DashboardEntries"]
    ]


def alarms(account: Account) -> list[list[dict[str, str]]]:
    """Return the dimensions of each alarm."""
    simple = account.pages("cloudwatch", "describe_alarms", "MetricAlarms")
    calculated = account.recorded("AWS::CloudWatch::Alarm", "CaloOps")
    metrics = [
        query["MetricStat"]["Metric"]
        for alarm in calculated
        for query in json.loads(json.dumps(alarm))["Metrics"]
        if "MetricStat" in query
    ]
    return [metric["Dimensions"] for metric in [*simple, *metrics] if metric.get("Dimensions")]
