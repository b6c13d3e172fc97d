"""From nothing to all five stacks, from the defaults to each setting and back, and to nothing again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployment.conftest import Account

ALL = {"CaloJobs", "CaloLive", "CaloApi", "CaloWeb", "CaloOps"}
SIZES: list[dict[str, str]] = [{}, {"size": "small"}]


@pytest.fixture(scope="module", params=SIZES, ids=str)
def deployed(account: Account, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The outputs of a deployment of this size from nothing; afterwards it is destroyed."""
    outputs = account.deploy(**request.param)
    assert account.stacks() == dict.fromkeys(ALL, "CREATE_COMPLETE")
    yield outputs
    account.destroy(**request.param)
    assert account.stacks() == {}


def test_the_page_may_call_the_api_and_show_the_images(account: Account, deployed: dict[str, str]) -> None:
    policy = content_security_policy(account)
    api = f"https://{deployed['ApiId']}.execute-api.us-east-1.amazonaws.com"
    assert f"connect-src 'self' {api};" in policy
    domains = {one["DomainName"] for one in distributions(account)}
    (images,) = [source for source in directive(policy, "img-src") if source != "'self'"]
    assert images == deployed["ImagesBaseUrl"]
    assert images.removeprefix("https://") in domains


def test_the_relay_is_given_names_that_exist(account: Account, deployed: dict[str, str]) -> None:
    arn = account.resource("CaloLive", "AWS::ECS::TaskDefinition")
    task = account.call("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    (container,) = task["containerDefinitions"]
    environment = {one["name"]: one["value"] for one in container["environment"]}
    assert environment["JOBS_TABLE"] in account.call("dynamodb", "list_tables")["TableNames"]
    topics = [one["TopicArn"] for one in account.call("sns", "list_topics")["Topics"]]
    assert environment["TOPIC_ARN"] in topics
    assert environment["TOPIC_ARN"] == deployed["TopicArn"]


def test_the_stream_leads_to_the_load_balancer_through_the_link(
    account: Account, deployed: dict[str, str]
) -> None:
    balancer = load_balancer(account)
    live = live_resource(account, deployed["ApiId"])
    integration = account.call(
        "apigateway", "get_integration", restApiId=deployed["ApiId"], resourceId=live, httpMethod="GET"
    )
    assert integration["uri"] == f"http://{balancer['DNSName']}/live"
    # MiniStack's API drops these
    (given,) = [
        one["Integration"]
        for one in account.recorded("AWS::ApiGateway::Method", "CaloApi")
        if one["Integration"]["Type"] == "HTTP_PROXY"
    ]
    assert given["ConnectionId"] == account.resource("CaloLive", "AWS::ApiGatewayV2::VpcLink")
    assert given["IntegrationTarget"] == balancer["LoadBalancerArn"]
    assert given["ResponseTransferMode"] == "STREAM"


def test_functions_are_given_names_that_exist(account: Account, deployed: dict[str, str]) -> None:
    tables = account.call("dynamodb", "list_tables")["TableNames"]
    queues = queue_names(account)
    found = 0
    for function in account.pages("lambda", "list_functions", "Functions"):
        variables = function.get("Environment", {}).get("Variables", {})
        for name, value in variables.items():
            if name.endswith("_TABLE"):
                assert value in tables
                found += 1
            if name.endswith("_QUEUE_URL"):
                assert value.rsplit("/", 1)[1] in queues
                found += 1
    assert found >= 15


def test_alarms_watch_what_exists(account: Account, deployed: dict[str, str]) -> None:
    known = {
        "QueueName": queue_names(account),
        "FunctionName": {
            one["FunctionName"] for one in account.pages("lambda", "list_functions", "Functions")
        },
        "PipeName": {one["Name"] for one in account.pages("pipes", "list_pipes", "Pipes")},
        "ApiName": {one["name"] for one in account.pages("apigateway", "get_rest_apis", "items")},
        "LoadBalancer": {load_balancer(account)["LoadBalancerArn"].split(":loadbalancer/")[1]},
        "TargetGroup": target_groups(account),
        "service": {"job_worker", "job_watchdog", "sse_relay"},
    }
    dimensions = [one for alarm in alarms(account) for one in alarm]
    assert len(dimensions) >= 14
    assert [one for one in dimensions if one["Value"] not in known[one["Name"]]] == []


SETTINGS: list[dict[str, str]] = [
    {"live": "false"},
    {"web": "false"},
    {"ops": "false"},
    {"api_key": "true", "web": "false"},
    {"images": "hotlink"},
    {"access_logs": "false"},
    {"size": "small"},
]


@pytest.fixture(scope="module")
def defaults(account: Account) -> Iterator[Account]:
    """A deployment with the defaults, which a test may change if it changes it back."""
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
    left_out = {f"Calo{name.title()}" for name in ("live", "web", "ops") if settings.get(name) == "false"}
    for stack in ("CaloOps", "CaloWeb", "CaloLive"):
        if stack in left_out:  # as `make deploy` says
            defaults.call("cloudformation", "delete_stack", StackName=stack)
    assert set(defaults.stacks()) == ALL - left_out
    assert ("/live" in routes(defaults)) == ("CaloLive" not in left_out)
    assert bool(dashboards(defaults)) == ("CaloOps" not in left_out and "size" not in settings)
    assert bool(defaults.resources("CaloApi", "AWS::ApiGateway::ApiKey")) == ("api_key" in settings)
    buckets = len(defaults.resources("CaloJobs", "AWS::S3::Bucket"))
    assert buckets == (1 if settings.keys() & {"images", "access_logs", "size"} else 2)
    if "CaloWeb" not in left_out:
        hotlinked = "https://images.unsplash.com" in content_security_policy(defaults)
        assert hotlinked == ("images" in settings)
    defaults.deploy()
    assert set(defaults.stacks()) == ALL
    assert_complete(defaults)
    after = content_security_policy(defaults), routes(defaults), dashboards(defaults)
    assert without_addresses(after) == without_addresses(before)


def test_a_stack_whose_template_is_unchanged_follows_a_parameter_that_has_changed(defaults: Account) -> None:
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
    (found,) = [part.split() for part in policy.split("; ") if part.startswith(f"{name} ")]
    return found[1:]


def without_addresses(state: tuple[str, set[str], list[str]]) -> Any:
    """A distribution, an API and a dashboard that were made again have other names."""
    policy, paths, boards = state
    return [part.split()[0] for part in policy.split("; ")], paths, len(boards)


def distributions(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.call("cloudfront", "list_distributions")["DistributionList"][
        "Items"
    ]
    return found


def load_balancer(account: Account) -> dict[str, Any]:
    (found,) = account.call("elbv2", "describe_load_balancers")["LoadBalancers"]
    return dict(found)


def target_groups(account: Account) -> set[str]:
    """As CloudWatch knows them, but for MiniStack's, which leaves out the beginning `targetgroup/`."""
    found = account.pages("elbv2", "describe_target_groups", "TargetGroups")
    return {one["TargetGroupArn"].split(":targetgroup/")[1] for one in found}


def queue_names(account: Account) -> set[str]:
    return {url.rsplit("/", 1)[1] for url in account.call("sqs", "list_queues")["QueueUrls"]}


def resources(account: Account, api_id: str) -> dict[str, str]:
    found = account.pages("apigateway", "get_resources", "items", restApiId=api_id)
    return {one["path"]: one["id"] for one in found}


def routes(account: Account) -> set[str]:
    return set(resources(account, account.resource("CaloApi", "AWS::ApiGateway::RestApi")))


def live_resource(account: Account, api_id: str) -> str:
    return resources(account, api_id)["/live"]


def dashboards(account: Account) -> list[str]:
    return [one["DashboardName"] for one in account.call("cloudwatch", "list_dashboards")["DashboardEntries"]]


def alarms(account: Account) -> list[list[dict[str, str]]]:
    """The dimensions of each."""
    simple = account.pages("cloudwatch", "describe_alarms", "MetricAlarms")
    calculated = account.recorded("AWS::CloudWatch::Alarm", "CaloOps")
    metrics = [
        query["MetricStat"]["Metric"]
        for one in calculated
        for query in json.loads(json.dumps(one))["Metrics"]
        if "MetricStat" in query
    ]
    return [one["Dimensions"] for one in [*simple, *metrics] if one.get("Dimensions")]
