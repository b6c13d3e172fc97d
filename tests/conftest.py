"""How a run is shared by processes and ends in order; the templates, synthesised once: with the defaults, as
they go to AWS."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from xdist.scheduler import LoadScopeScheduling

from infra.app import build
from local.processes import raise_on_sigterm


def pytest_configure() -> None:
    """A run that is ended by SIGTERM takes the emulator, the relay and the rest along."""
    raise_on_sigterm()


ONE_SYSTEM = {"browser", "deployment", "integration"}
"""Folders whose tests share a system that takes long to start."""


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests of one system go to one process; all others go by their files to whichever process is free."""

    def _split_scope(self, nodeid: str) -> str:
        _, folder, *_ = nodeid.split("/")
        return folder if folder in ONE_SYSTEM else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    """Used with --numprocesses."""
    return FolderScheduling(config, log)


FLAGS = json.loads((Path(__file__).parents[1] / "cdk.json").read_text())["context"]
"""The `cdk` command hands these to the app; a test must do so itself."""


def app_of(outdir: str | None = None, **context: str) -> App:
    """The app as `cdk synth -c name=value` would build it."""
    app = App(context={**FLAGS, **context}, outdir=outdir)
    build(app)
    return app


def synth_stacks(**context: str) -> dict[str, Template]:
    """Templates by stack, of an app with this context."""
    return {
        stack.node.id: Template.from_stack(stack)  # type: ignore[arg-type]
        for stack in app_of(**context).node.children
        if stack.node.id.startswith("Calo")
    }


def read(template: Template, value: Any) -> str:
    """Return the name of the parameter that a value of this template is read from."""
    parameter = template.to_json()["Parameters"][value["Ref"]]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    return str(parameter["Default"])


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    return synth_stacks()
