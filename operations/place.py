"""Which deployment a command is for: the local run, or that of the AWS profile."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.run_file import find

STACKS = ("CaloJobs", "CaloApi", "CaloLive")
"""Those that hold outputs and logs; CaloLive may be missing."""
Where = Literal["local", "aws"]


class NotThere(RuntimeError):
    """There is no such deployment; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """A deployment: `name` for people, `client` makes boto3 clients of it by service.

    `log_folder` is where the parts that the local run holds outside of the emulator log to.
    """

    name: str
    client: Callable[[str], Any]
    log_folder: Path | None = None

    def outputs(self) -> dict[str, str]:
        """The outputs of CaloJobs. Raises NotThere."""
        try:
            (stack,) = self.client("cloudformation").describe_stacks(StackName=STACKS[0])["Stacks"]
        except (BotoCoreError, ClientError) as error:
            raise NotThere(f"{self.name} has no stack {STACKS[0]} that can be read: {error}") from error
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def log_groups(self) -> list[str]:
        """The log groups that the stacks have made, but for those of the network."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        groups: list[str] = []
        for stack in STACKS:
            try:
                for page in pages.paginate(StackName=stack):
                    groups += filter(None, map(_log_group, page["StackResourceSummaries"]))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":  # there is no such stack
                    raise
        return groups


def _log_group(resource: dict[str, Any]) -> str | None:
    wanted = resource["ResourceType"] == "AWS::Logs::LogGroup" and "Flow" not in resource["LogicalResourceId"]
    return str(resource["PhysicalResourceId"]) if wanted else None


def place_of(where: Where | None, run_folder: Path, *, changes: bool) -> Place:
    """Without `where` the local run of that folder if it is up, else AWS, but a command that changes
    something has to be told to do so there. Raises NotThere."""
    run = find(run_folder) if where != "aws" else None
    if run is not None:
        return Place(f"the local run at {run.url}", run.emulator.client, run.folder)
    if where == "local":
        raise NotThere(f"no local run is up in {run_folder}; PORT=… names another one, make run starts one")
    if where is None and changes:
        raise NotThere(f"no local run is up in {run_folder}; WHERE=aws takes the account of your profile")
    return _aws()


def _aws() -> Place:
    """The account and region of the caller's profile. Raises NotThere."""
    session = boto3.Session()
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise NotThere(f"AWS cannot be asked with your profile: {error}") from error
    return Place(f"AWS account {account}, {session.region_name}", session.client)
