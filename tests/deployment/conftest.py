"""Deploy all five stacks to an emulator with the real `cdk` command, from the same templates as for AWS.

MiniStack lacks some resource types; tests/deployment/emulator.py adds stand-ins for them. So these tests
verify the wiring: names, parameters and references refer to existing resources. They do not verify that AWS
accepts the templates.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.deployment import Deployment
from local.emulator import MINISTACK, Emulator, ministack_environment
from local.processes import Process, free_ports
from tests.conftest import app_of

STARTER = Path(__file__).with_name("emulator.py")


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

    def destroy(self, **settings: str) -> None:
        self._assembly(settings).destroy()

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
        stacks = self.pages("cloudformation", "describe_stacks", "Stacks")
        return {
            stack["StackName"]: stack["StackStatus"]
            for stack in stacks
            if stack["StackName"].startswith("Calo")
        }

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


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    (port,) = free_ports(1)
    emulator = Emulator(f"http://127.0.0.1:{port}")
    record = folder / "record.jsonl"
    environment = {**ministack_environment(port, folder), "RECORD": str(record)}
    command = [str(MINISTACK.with_name("python")), str(STARTER)]
    process = Process("the emulator", command, environment, folder / "emulator.log", folder)
    try:
        process.wait_ready(f"{emulator.endpoint}/_ministack/health")
        Deployment(emulator, folder).bootstrap()
        yield Account(emulator, folder, record)
    finally:
        process.kill()
