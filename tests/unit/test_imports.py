"""Imports go one way: handler → logic → common, and kinds → common. Others are listed here.

A worker imports its kind by name at run time.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("functions", "kinds", "infra", "local", "calo", "bench", "tests")
ALLOWED = {
    "functions": (),  # each function may also import its own folder and functions.common: see below
    "kinds": ("functions.common",),  # and its own package
    "infra": ("infra", "functions.common.kind"),
    "local": (
        "local",
        "calo",
        # what does not load the CDK
        "infra.names",
        "infra.settings",
        "infra.sign_in_config",
        "infra.constructs.site_headers",
    ),
    "client": ("calo",),
    "bench": ("bench", "functions", "kinds", "infra", "local"),
}
"""What the code in each top-level folder may import of ours."""
TEST_KIT = "functions.common.testing"
"""Only tests may import it: it is not deployed, and needs packages that are not."""


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, `package.name` for each name of a `from` import."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def allowed_packages(relative: Path) -> tuple[str, ...]:
    top, *folders, _ = relative.parts
    if relative == Path(*TEST_KIT.split(".")).with_suffix(".py"):
        return ("functions.common", "functions.job_worker", "functions.create_job")
    if top == "functions" and "http" in folders:
        return ("functions.common", "functions.sse_relay.http")
    if top == "functions" and folders:
        return ("functions.common", f"functions.{folders[0]}")
    own = (f"kinds.{folders[0]}",) if top == "kinds" and folders else ()
    return ALLOWED[top] + own


def violations(path: Path, relative: Path) -> list[str]:
    ours = [module for module in imports(path) if module.split(".")[0] in OURS]
    wrong = [module for module in ours if not is_within(module, allowed_packages(relative))]
    is_handler = [module for module in ours if ".handler" in module and relative.parts[0] == "functions"]
    test_kit = [module for module in ours if is_within(module, (TEST_KIT,)) and module not in wrong]
    return [f"{relative} imports {module}" for module in [*wrong, *is_handler, *test_kit]]


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_go_one_way(folder: str) -> None:
    paths = [path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts]
    assert paths
    assert [line for path in paths for line in violations(path, path.relative_to(ROOT))] == []


@pytest.mark.parametrize(
    ("relative", "code"),
    [
        ("functions/common/job.py", "from functions.create_job import create_job"),
        ("functions/create_job/create_job.py", "from functions.create_job.handler import handler"),
        ("functions/create_job/create_job.py", "import functions.job_worker.work"),
        ("functions/sse_relay/http/poll.py", "from functions.sse_relay.hub import Hub"),
        ("functions/common/testing.py", "import functions.change_job.change_job"),
        ("functions/job_worker/handler.py", "from kinds.photo import KIND"),
        ("functions/job_worker/work.py", "import functions.common.testing"),
        ("kinds/countdown.py", "from functions.job_worker.context import JobContext"),
        ("kinds/countdown.py", "from kinds.photo import Photo"),
        ("kinds/photo/images.py", "from kinds.countdown import Input"),
        ("kinds/photo/images.py", "from infra.kinds import read_kinds"),
        ("kinds/photo/images.py", "from functions.common.testing import run"),
        ("infra/app.py", "from functions.common.job import SHARDS"),
        ("infra/app.py", "from kinds.photo import KIND"),
        ("client/calo/redrive.py", "from functions.common.job import Job"),
        ("local/system.py", "import infra.app"),
    ],
)
def test_a_wrong_import_is_reported(relative: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(code)
    assert len(violations(path, Path(relative))) == 1
