"""Imports in infra go one way: stacks import constructs, and constructs import neither stacks nor app."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.tools.bundle import ROOT

SHARED = {"infra.deployed_kinds", "infra.kinds", "infra.names", "infra.settings", "infra.sign_in_config"}
ALLOWED = {
    "constructs": {"infra.constructs", "infra.tools.bundle", *SHARED},
    "stacks": {"infra.stacks", "infra.constructs", "infra.tools.bundle", *SHARED},
    "tools": {"infra.tools", *SHARED},
}
WITHOUT_CDK = (
    "deployed_kinds.py",
    "kinds.py",
    "names.py",
    "settings.py",
    "sign_in_config.py",
    "constructs/site_headers.py",
    "tools",
)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def is_in(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_go_one_way(folder: str) -> None:
    unexpected = [
        f"{path.name} imports {module}"
        for path in (ROOT / "infra" / folder).rglob("*.py")
        for module in imports_of(path)
        if is_in(module, {"infra"}) and not is_in(module, ALLOWED[folder])
    ]
    assert unexpected == []


@pytest.mark.parametrize("name", WITHOUT_CDK)
def test_modules_that_others_use_do_not_load_the_cdk(name: str) -> None:
    path = ROOT / "infra" / name
    for module in [path] if path.is_file() else path.rglob("*.py"):
        assert not {"aws_cdk", "constructs"} & set(imports_of(module))


def test_every_folder_of_tests_is_run_by_make_test_or_make_rehearse() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    rehearsed = re.findall(
        r"tests/\w+", (ROOT / "Makefile").read_text().split("\nrehearse:")[1].split("\n\n")[0]
    )
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert sorted(folders) == sorted([*options["testpaths"], *rehearsed])
