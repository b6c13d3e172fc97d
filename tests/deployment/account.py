"""An emulated account, and what is deployed to it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.deployment import ROOT, Deployment
from local.emulator import Emulator
from tests.conftest import app_of

ALL = {"CaloJobs", "CaloLive", "CaloApi", "CaloWeb", "CaloOps"}


@dataclass
class Account:
    """An emulated account. Templates and logs are written to `folder`."""

    emulator: Emulator
    folder: Path
    record: Path
    _assemblies: dict[str, Deployment] = field(default_factory=dict)

    def deploy(self, **settings: str) -> dict[str, str]:
        """Deploy the stacks for these settings, and return their outputs."""
        return self._assembly(settings).deploy()

    def destroy(self) -> None:
        """Delete all stacks. They must be those of the default settings."""
        self._assembly({}).destroy()

    def _assembly(self, settings: dict[str, str]) -> Deployment:
        name = "-".join(f"{key}-{value}" for key, value in settings.items()) or "default"
        name = name.replace("/", "_")
        if name not in self._assemblies:
            deployment = Deployment(self.emulator, self.folder / name)
            app_of(str(deployment.assembly), **settings).synth()
            self._assemblies[name] = deployment
        return self._assemblies[name]

    def call(self, service: str, method: str, **arguments: Any) -> dict[str, Any]:
        with closing(self.emulator.client(service)) as client:
            response: dict[str, Any] = getattr(client, method)(**arguments)
            return response

    def pages(self, service: str, method: str, key: str, **arguments: Any) -> list[Any]:
        """Return all elements of a paginated list."""
        with closing(self.emulator.client(service)) as client:
            pages = client.get_paginator(method).paginate(**arguments)
            return [element for page in pages for element in page.get(key, [])]

    def stacks(self) -> dict[str, str]:
        """Return the status of each of our stacks."""
        return {stack["StackName"]: stack["StackStatus"] for stack in self._stacks()}

    def outputs(self) -> dict[str, str]:
        """Return the outputs of all our stacks."""
        return {
            output["OutputKey"]: output["OutputValue"]
            for stack in self._stacks()
            for output in stack.get("Outputs", [])
        }

    def _stacks(self) -> list[dict[str, Any]]:
        stacks = self.pages("cloudformation", "describe_stacks", "Stacks")
        return [stack for stack in stacks if stack["StackName"].startswith("Calo")]

    def resources(self, stack: str, kind: str) -> dict[str, str]:
        """Return the physical ids of the stack's resources of this type by logical id."""
        summaries = self.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
        )
        return {
            summary["LogicalResourceId"]: summary["PhysicalResourceId"]
            for summary in summaries
            if summary["ResourceType"] == kind and summary["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def resource(self, stack: str, kind: str) -> str:
        """Return the physical id of the stack's only resource of this type."""
        (name,) = self.resources(stack, kind).values()
        return name

    def recorded(self, kind: str, stack: str) -> list[dict[str, Any]]:
        """Return the properties with which resources of this type were last created."""
        lines = [json.loads(line) for line in self.record.read_text().splitlines()]
        last = {
            line["id"]: line["properties"] for line in lines if (line["type"], line["stack"]) == (kind, stack)
        }
        return list(last.values())


def make_deploy(account: Account, **settings: str) -> str:
    """Run `make deploy` with these settings, and return what it prints."""
    context = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    done = subprocess.run(
        [sys.executable, "-m", "infra.tools.deploy", "--require-approval", "never", *context],
        cwd=ROOT,
        # the emulator claims to have every image, so no image is built
        env={**account.emulator.environment, "CDK_DOCKER": "/bin/true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def changed(account: Account, **settings: str) -> Iterator[None]:
    """Change settings, delete the stacks that they omit, and restore the defaults at the end."""
    with restored(account):
        account.deploy(**settings)
        for name in ("ops", "web", "live"):
            if settings.get(name) == "false":  # as `make deploy` instructs
                account.call("cloudformation", "delete_stack", StackName=f"Calo{name.title()}")
        yield


@contextmanager
def restored(account: Account) -> Iterator[None]:
    """Deploy the default settings at the end. Everything must be as before."""
    before = content_security_policy(account), routes(account), dashboards(account)
    yield
    account.deploy()
    assert set(account.stacks()) == ALL
    assert_complete(account)
    after = content_security_policy(account), routes(account), dashboards(account)
    assert without_names(after) == without_names(before)


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
