"""All five stacks, deployed to an emulator by the real `cdk` command from the templates that go to AWS.

MiniStack lacks some resource types; tests/deployment/emulator.py adds stand-ins for them. So this proves the
wiring, that names, parameters and references meet what exists, and not that AWS accepts the templates.
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
    """An emulated account; `folder` takes templates and logs."""

    emulator: Emulator
    folder: Path
    record: Path
    _assemblies: dict[str, Deployment] = field(default_factory=dict)

    def deploy(self, **settings: str) -> dict[str, str]:
        """Deploy all stacks that these settings ask for. Returns their outputs."""
        return self._assembly(settings).deploy()

    def destroy(self, **settings: str) -> None:
        self._assembly(settings).destroy()

    def _assembly(self, settings: dict[str, str]) -> Deployment:
        name = "-".join(f"{key}-{value}" for key, value in settings.items()) or "default"
        if name not in self._assemblies:
            deployment = Deployment(self.emulator, self.folder / name)
            app_of(str(deployment.assembly), **settings).synth()
            self._assemblies[name] = deployment
        return self._assemblies[name]

    def call(self, service: str, method: str, **arguments: Any) -> dict[str, Any]:
        with closing(self.emulator.client(service)) as client:
            answer: dict[str, Any] = getattr(client, method)(**arguments)
            return answer

    def pages(self, service: str, method: str, key: str, **arguments: Any) -> list[Any]:
        """All elements of a list that comes in pages."""
        with closing(self.emulator.client(service)) as client:
            pages = client.get_paginator(method).paginate(**arguments)
            return [element for page in pages for element in page.get(key, [])]

    def stacks(self) -> dict[str, str]:
        """The status of each of ours."""
        found = self.pages("cloudformation", "describe_stacks", "Stacks")
        return {one["StackName"]: one["StackStatus"] for one in found if one["StackName"].startswith("Calo")}

    def resources(self, stack: str, kind: str) -> dict[str, str]:
        """The physical ids of the stack's resources of this type, by their logical ids."""
        found = self.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
        )
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] == kind and one["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def resource(self, stack: str, kind: str) -> str:
        """The physical id of the stack's one resource of this type."""
        (name,) = self.resources(stack, kind).values()
        return name

    def recorded(self, kind: str, stack: str) -> list[dict[str, Any]]:
        """What resources of this type were last made with, by stand-ins and recorders."""
        lines = [json.loads(line) for line in self.record.read_text().splitlines()]
        last = {one["id"]: one["properties"] for one in lines if (one["type"], one["stack"]) == (kind, stack)}
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
