"""Configure pytest, distribute tests to processes, and synthesize the templates with default settings."""

import json
from functools import cache
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


SLOW_SCOPES = (
    "tests/integration", "tests/browser", "tests/deployment", "tests/infra",
    "tests/integration/test_sign_in.py", "tests/browser/test_sign_in.py", "tests/integration/test_abuse.py",
)  # fmt: skip
"""Folders whose files share a system or templates that take seconds, and the files that start another system.

They take longest, so they start first, in this order.
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests so that no process has a long scope left when the others are done."""
    order = {scope: number for number, scope in enumerate(SLOW_SCOPES)}
    items.sort(key=lambda item: order.get(_scope(item.nodeid), len(order)))


def _scope(nodeid: str) -> str:
    """Return which tests must run in the process of this one: those of its folder, or of its file."""
    file = nodeid.split("::")[0]
    folder = file.rpartition("/")[0]
    return folder if folder in SLOW_SCOPES and file not in SLOW_SCOPES else file


class ScopeScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Run the tests of one scope in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ScopeScheduling:
    """Return the scheduler for runs with `--numprocesses`."""
    return ScopeScheduling(config, log)


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
    app = app_of(**context, **{"aws:cdk:disable-asset-staging": "true"})
    return {
        stack.node.id: Template.from_stack(stack)  # type: ignore[arg-type]
        for stack in app.node.children
        if stack.node.id.startswith("Calo")
    }


@cache
def templates_of(**context: str) -> dict[str, Template]:
    """Return what `synth_stacks` does, once for all tests that change nothing that it reads."""
    return synth_stacks(**context)


def read(template: Template, value: Any) -> str:
    """Return the name of the SSM parameter from which a value of this template is read."""
    parameter = template.to_json()["Parameters"][value["Ref"]]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    return str(parameter["Default"])


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    """Return the templates by stack, with the default settings."""
    return templates_of()
