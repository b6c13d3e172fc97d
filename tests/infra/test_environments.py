"""Each function's environment in the templates has exactly the variables that its settings class reads."""

import importlib
import inspect
import pkgutil
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import pytest
from aws_cdk.assertions import Template

from functions.common.tokens import TokenSettings
from functions.sse_relay.sign_in import SignInSettings
from tests.conftest import templates_of
from tests.infra import SIGN_IN

FUNCTIONS = Path(__file__).parents[2] / "functions"
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
"""Powertools reads these in the functions. The relay reads them into a settings class."""
CONTAINER = {"PORT"}
"""The relay uses it as the default value of an option."""
NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py") if path.parent.name != "sse_relay")


def settings_classes(package: str) -> list[type]:
    """Return the settings classes that are defined in a function's package."""
    path = importlib.import_module(package).__path__
    names = [info.name for info in pkgutil.walk_packages(path, f"{package}.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    return [
        value
        for module in modules
        for name, value in inspect.getmembers(module, inspect.isclass)
        if name.endswith("Settings") and is_dataclass(value) and value.__module__ == module.__name__
    ]


def variables(classes: list[type], *, required: bool = False) -> set[str]:
    return {
        field.name.upper()
        for settings in classes
        for field in fields(settings)
        if not required or field.default is MISSING
    }


def environments(templates: dict[str, Template], handler: str) -> list[set[str]]:
    """Return the variables of each function with this handler. Each kind has a worker."""
    return [
        set(resource["Properties"]["Environment"]["Variables"])
        for template in templates.values()
        for resource in template.find_resources("AWS::Lambda::Function").values()
        if resource["Properties"].get("Handler") == handler
    ]


@pytest.fixture(scope="module")
def with_sign_in() -> dict[str, Template]:
    """Return the templates with all functions."""
    return templates_of(**SIGN_IN)


@pytest.mark.parametrize("name", NAMES)
def test_a_functions_environment_matches_its_settings(name: str, with_sign_in: dict[str, Template]) -> None:
    classes = settings_classes(f"functions.{name}")
    all_variables = environments(with_sign_in, f"functions.{name}.handler.handler")
    assert classes
    assert len(all_variables) == (2 if name == "job_worker" else 1)
    for actual in all_variables:
        assert variables(classes, required=True) <= actual - POWERTOOLS <= variables(classes)


def test_the_relays_environment_matches_its_settings(
    templates: dict[str, Template], with_sign_in: dict[str, Template]
) -> None:
    classes = settings_classes("functions.sse_relay")
    without = relay_variables(templates)
    assert without == variables(classes, required=True)
    added = relay_variables(with_sign_in) - without
    assert added == variables([SignInSettings, TokenSettings]) - {"OIDC_SCOPE"}


def relay_variables(templates: dict[str, Template]) -> set[str]:
    (task,) = templates["CaloLive"].find_resources("AWS::ECS::TaskDefinition").values()
    (container,) = task["Properties"]["ContainerDefinitions"]
    return {variable["Name"] for variable in container["Environment"]} - CONTAINER
