"""Configure pytest, distribute tests to processes, and synthesize the templates with default settings."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from xdist.scheduler import LoadScopeScheduling

from infra.app import build
from infra.kinds import KindError, read_kinds
from local.processes import raise_on_sigterm


def pytest_configure() -> None:
    """Stop at a faulty declaration of a kind, and raise on SIGTERM.

    So a terminated run stops the emulator, the relay and all other processes.
    """
    raise_on_sigterm()
    try:
        read_kinds()
    except KindError as error:
        raise pytest.UsageError(str(error)) from error


SHARED_SYSTEM_FOLDERS = ("integration", "browser", "deployment")
"""Folders whose tests share a system that is slow to start. They take longest, so they start first."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests so that no process has a long folder left when the others are done."""
    order = {folder: number for number, folder in enumerate(SHARED_SYSTEM_FOLDERS)}
    items.sort(key=lambda item: order.get(_folder(item.nodeid), len(order)))


def _folder(nodeid: str) -> str:
    """Return the name of the folder in `tests`, or the empty string for a file elsewhere."""
    _, *folders, _ = ["", *nodeid.split("::")[0].split("/")]
    return folders[1] if len(folders) > 1 else ""


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Run the tests that share a system in one process, and each other file in any free process."""

    def _split_scope(self, nodeid: str) -> str:
        folder = _folder(nodeid)
        return folder if folder in SHARED_SYSTEM_FOLDERS else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    """Return the scheduler for runs with `--numprocesses`."""
    return FolderScheduling(config, log)


FLAGS = json.loads((Path(__file__).parents[1] / "cdk.json").read_text())["context"]
"""Feature flags. The `cdk` command passes them to the app; tests must pass them explicitly."""


def app_of(outdir: str | None = None, **context: str) -> App:
    """Return the app that `cdk synth -c name=value` would build."""
    app = App(context={**FLAGS, **context}, outdir=outdir)
    build(app)
    return app


def synth_stacks(**context: str) -> dict[str, Template]:
    """Return the templates by stack of an app with this context, without the code of the functions.

    To copy it beside the templates would take as long as everything else.
    """
    return templates_of(app_of(**context, **{"aws:cdk:disable-asset-staging": "true"}))


def templates_of(app: App) -> dict[str, Template]:
    """Return the templates by stack."""
    return {
        stack.node.id: Template.from_stack(stack)  # type: ignore[arg-type]
        for stack in app.node.children
        if stack.node.id.startswith("Calo")
    }


def read(template: Template, value: Any) -> str:
    """Return the name of the SSM parameter from which a value of this template is read."""
    parameter = template.to_json()["Parameters"][value["Ref"]]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    return str(parameter["Default"])


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    """Return the templates by stack, with the default settings."""
    return synth_stacks()
