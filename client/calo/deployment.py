"""The deployment that a command operates on: a local run, or the one in the caller's AWS account."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from calo.aws import session
from calo.errors import CommandError
from calo.local_run import LocalRun, local_runs

STACKS = ("CaloJobs", "CaloApi", "CaloLive")
"""The stacks with outputs and logs. CaloLive may be missing."""
Where = Literal["local", "aws"]


@dataclass(frozen=True)
class Deployment:
    """`name` is for messages; `client` returns boto3 clients by service.

    `log_folder` has the logs of components that a local run keeps outside of the emulator.
    `front_door` is the URL of a local run.
    """

    name: str
    client: Callable[[str], Any]
    log_folder: Path | None = None
    front_door: str | None = None

    def output(self, stack: str, name: str) -> str:
        """Return an output of a stack. Raises CommandError."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            (description,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"{self.name}: the stack {stack} cannot be read: {error}") from error
        outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
        return str(outputs[name])

    def api_url(self) -> str:
        """Return the URL of the API, without a slash at the end. Raises CommandError."""
        if self.front_door:
            return f"{self.front_door}/api"
        return self.output("CaloApi", "ApiUrl").rstrip("/")

    def log_groups(self) -> list[str]:
        """Return the log groups of the stacks, without the network's. Raises botocore's errors."""
        from botocore.exceptions import ClientError

        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        groups: list[str] = []
        for stack in STACKS:
            try:
                for page in pages.paginate(StackName=stack):
                    groups += filter(None, map(_log_group, page["StackResourceSummaries"]))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":  # the stack does not exist
                    raise
        return groups


def _log_group(resource: dict[str, Any]) -> str | None:
    if resource["ResourceType"] != "AWS::Logs::LogGroup" or "Flow" in resource["LogicalResourceId"]:
        return None
    return str(resource["PhysicalResourceId"])


def find_deployment(
    where: Where | None, port: int | None, *, changes: bool, start: Path | None = None
) -> Deployment:
    """Return the deployment that a command means. Raises CommandError if that is not clear.

    Without `where` it is the local run, or AWS if none is running; a command that changes something needs
    `where` to operate on AWS. `port` selects one of several local runs.
    """
    if where == "aws":
        return _aws()
    runs = local_runs(start or Path.cwd())
    if port is not None:
        return _local(_by_port(runs, port))
    if len(runs) > 1:
        ports = ", ".join(str(run.port) for run in runs)
        raise CommandError(f"several local runs are up; choose one with --port: {ports}")
    if runs:
        return _local(runs[0])
    if where == "local":
        raise CommandError("no local run is up; start one with: make run")
    if changes:
        raise CommandError("no local run is up; to change jobs in your AWS account, add: --where aws")
    return _aws()


def _by_port(runs: list[LocalRun], port: int) -> LocalRun:
    for run in runs:
        if run.port == port:
            return run
    ports = ", ".join(str(run.port) for run in runs) or "none"
    raise CommandError(f"no local run is up on port {port}; ports of local runs: {ports}")


def _local(run: LocalRun) -> Deployment:
    return Deployment(f"local run at {run.url}", run.client, run.folder, run.url)


def _aws() -> Deployment:
    aws = session()
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        account = aws.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS rejects your credentials or cannot be reached: {error}") from error
    return Deployment(f"AWS account {account}, {aws.region_name}", aws.client)
