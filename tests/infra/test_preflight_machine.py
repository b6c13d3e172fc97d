"""The checks of the machine that builds the relay's image, with the remedies they name."""

from pathlib import Path
from typing import Any

import pytest

from infra.settings import Processor, Settings
from infra.tools.preflight.machine import check_machine, run
from tests.infra.preflight_fakes import EMULATOR, machine


def test_a_good_machine_has_only_ok_findings() -> None:
    assert [finding.mark for finding in check_machine(Settings(), machine())] == ["ok", "ok"]


def test_without_the_relay_no_builder_is_needed() -> None:
    assert check_machine(Settings(live=False), machine(which=lambda _: None)) == []


def podman(command: list[str]) -> str | None:
    return "" if command == ["podman", "version"] else None


def desktop(command: list[str]) -> str:
    return "Docker Desktop\n" if command == ["docker", "info", "--format", "{{.OperatingSystem}}"] else ""


INSTALL = "docker run --privileged --rm tonistiigi/binfmt --install "


@pytest.mark.parametrize(
    ("relay_cpu", "changes", "mark", "text"),
    [
        ("arm64", {"which": lambda _: None}, "stop", "`docker` is not on PATH"),
        ("arm64", {"run": lambda _: None}, "stop", "`docker version` fails; its daemon may not be running"),
        ("arm64", {"run": lambda _: None}, "stop", "Start it, or set CDK_DOCKER to another builder, or"),
        ("arm64", {"run": lambda _: None}, "stop", "-c live=false"),
        ("arm64", {"environment": {"CDK_DOCKER": "podman"}, "run": podman}, "ok", "arm64"),
        ("arm64", {"processor": "riscv64"}, "stop", f"on riscv64; install QEMU: {INSTALL}arm64"),
        ("arm64", {"processor": "x86_64"}, "stop", f"{INSTALL}arm64, or deploy with -c relay_cpu=x86_64"),
        ("x86_64", {}, "stop", f"{INSTALL}amd64, or deploy with -c relay_cpu=arm64"),
        ("x86_64", {"processor": "AMD64"}, "ok", "like this machine"),
        ("arm64", {"processor": "x86_64", "run": desktop}, "note", "Docker Desktop"),
        ("x86_64", {"environment": EMULATOR}, "note", f"{INSTALL}amd64"),
        ("arm64", {"environment": EMULATOR, "which": lambda _: None}, "note", "`docker` is not on PATH"),
        ("x86_64", {"system": "Darwin", "processor": "arm64"}, "note", "Docker Desktop"),
    ],
)  # fmt: skip
def test_a_finding_names_the_problem_and_its_remedy(
    relay_cpu: Processor, changes: dict[str, Any], mark: str, text: str
) -> None:
    last = check_machine(Settings(relay_cpu=relay_cpu), machine(**changes))[-1]
    assert (last.mark, text in last.text) == (mark, True), last


def test_qemu_builds_for_the_other_processor(tmp_path: Path) -> None:
    (tmp_path / "qemu-aarch64").touch()
    last = check_machine(Settings(), machine(processor="x86_64", emulation=tmp_path))[-1]
    assert (last.mark, last.text) == ("ok", "arm64, emulated by QEMU")


def test_a_command_that_fails_or_does_not_exist_has_no_output() -> None:
    assert run(["echo", "here"]) == "here\n"
    assert run(["false"]) is None
    assert run(["/no/such/command"]) is None
