"""An orderly end of every run, and the templates, synthesised once: with the defaults, as they go to AWS."""

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.app import build
from local.processes import end_in_order


def pytest_configure() -> None:
    """A run that is ended by SIGTERM takes the emulator, the relay and the rest along."""
    end_in_order()


def synth_stacks(**context: str) -> dict[str, Template]:
    """Templates by stack, of an app with this context."""
    app = App(context=context, outdir=None)
    build(app)
    return {
        stack.node.id: Template.from_stack(stack)  # type: ignore[arg-type]
        for stack in app.node.children
        if stack.node.id.startswith("Calo")
    }


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    return synth_stacks()
