"""Every package that is installed anywhere has hashes."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.tools import lock

ROOT = Path(__file__).parents[2]
REQUIREMENT = re.compile(r"[\w.\[\],-]+==[\w.!+]+(?: --hash=sha256:[0-9a-f]{64})+")


@pytest.mark.parametrize("path", [f"{name}.txt" for name in lock.LOCKS])
def test_every_package_of_a_lock_has_hashes(path: str) -> None:
    text = re.sub(r" \\\n +", " ", (ROOT / path).read_text())
    requirements = [line for line in text.splitlines() if not line.startswith("#")]
    assert requirements
    assert [line for line in requirements if not REQUIREMENT.fullmatch(line)] == []


def pins(path: str) -> set[str]:
    return set(re.findall(r"^[\w.-]+==\S+", (ROOT / path).read_text(), re.MULTILINE))


def test_the_development_environment_has_the_versions_of_the_functions_and_the_relay() -> None:
    needed = pins("functions/requirements.txt") | pins("functions/sse_relay/requirements.txt")
    assert needed <= pins("requirements.txt")


def test_the_installers_that_do_not_read_the_locks_of_a_venv_require_hashes() -> None:
    """pip requires hashes as soon as a requirement has one; these two fail even without any."""
    for path in ("infra/tools/bundle.py", "functions/sse_relay/Dockerfile"):
        assert "--require-hashes" in (ROOT / path).read_text()


@pytest.mark.parametrize(
    ("filename", "is_wanted"),
    [
        ("requests-2.34.2-py3-none-any.whl", True),
        ("aiohttp-3.14.5-cp314-cp314-manylinux_2_28_aarch64.whl", True),
        ("aiohttp-3.14.5-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", True),
        ("cryptography-46.0.0-cp38-abi3-macosx_10_9_universal2.whl", True),
        ("aiohttp-3.14.5-cp310-cp310-manylinux_2_28_x86_64.whl", False),
        ("aiohttp-3.14.5-cp314-cp314-win_amd64.whl", False),
        ("aiohttp-3.14.5-cp314-cp314-musllinux_1_2_x86_64.whl", False),
        ("aiohttp-3.14.5.tar.gz", False),
        ("pydantic-0.18-py36+-none-any.whl", False),
    ],
)
def test_wheels_of_the_platforms_of_this_project_are_locked(filename: str, is_wanted: bool) -> None:
    version = filename.split("-")[1].removesuffix(".tar.gz")
    assert lock.is_wheel_of(filename, version) is is_wanted
    assert not lock.is_wheel_of(filename, "0.0.1")


def test_a_lock_lists_the_hashes_of_each_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def files_of(name: str, version: str) -> list[dict[str, Any]]:
        return [{"hashes": {"sha256": f"{name}-{version}-{kind}"}} for kind in ("b", "a")]

    monkeypatch.setattr(lock, "files_of", files_of)
    assert lock.lock_text("requirements.in", ["x==1", "y==2"]).splitlines()[1:] == [
        "x==1 \\",
        "    --hash=sha256:x-1-a \\",
        "    --hash=sha256:x-1-b",
        "y==2 \\",
        "    --hash=sha256:y-2-a \\",
        "    --hash=sha256:y-2-b",
    ]


def test_the_relays_base_image_is_named_by_its_digest() -> None:
    (base,) = re.findall(r"^FROM (.*)$", (ROOT / "functions/sse_relay/Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"public\.ecr\.aws/docker/library/python:3\.\d+-slim@sha256:[0-9a-f]{64}", base)
