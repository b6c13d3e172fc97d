"""The templates, synthesised once: with the defaults, as they go to AWS."""

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.app import build


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
