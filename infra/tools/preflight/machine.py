"""Checks of this machine: can it build the relay's image?"""

import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.settings import Settings
from infra.tools.preflight.finding import Finding, note, ok, stop

PROCESSORS = {"arm64": ("arm64", "aarch64"), "x86_64": ("x86_64", "amd64")}
"""What machines with each `relay_cpu` call their processor."""
HANDLERS = {"arm64": "qemu-aarch64", "x86_64": "qemu-x86_64"}
EMULATION = Path("/proc/sys/fs/binfmt_misc")
TIMEOUT_SECONDS = 20.0


def run(command: list[str]) -> str | None:
    """Return what a command prints, or None if it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True)
class Machine:
    """The machine that deploys. `emulation`: the folder with the kernel's handlers of foreign programs."""

    environment: Mapping[str, str]
    system: str = field(default_factory=platform.system)
    processor: str = field(default_factory=platform.machine)
    emulation: Path = EMULATION
    which: Callable[[str], str | None] = shutil.which
    run: Callable[[list[str]], str | None] = run

    @property
    def builder(self) -> str:
        """The command that CDK builds images with."""
        return self.environment.get("CDK_DOCKER", "docker")


def check_machine(settings: Settings, machine: Machine) -> list[Finding]:
    """Return what keeps the relay's image from being built. Without the relay, nothing is checked.

    An emulator may need no image, so for one nothing here says stop.
    """
    if not settings.live:
        return []
    findings = [_check_builder(machine)]
    if findings[0].mark == "ok":
        findings.append(_check_platform(settings, machine))
    return [_softened(one) for one in findings] if "AWS_ENDPOINT_URL" in machine.environment else findings


def _softened(finding: Finding) -> Finding:
    return replace(finding, mark="note") if finding.mark == "stop" else finding


def _check_builder(machine: Machine) -> Finding:
    name = machine.builder
    remedy = "or name another builder in CDK_DOCKER, or leave the relay out: -c live=false"
    if machine.which(name) is None:
        return stop("image builder", f"`{name}` is not on PATH. Install Docker, {remedy}")
    if machine.run([name, "version"]) is None:
        text = f"`{name} version` fails: its daemon may not run, or you may not have access to it"
        return stop("image builder", f"{text}. Start it, {remedy}")
    return ok("image builder", f"{name} answers")


def _check_platform(settings: Settings, machine: Machine) -> Finding:
    wanted = settings.relay_cpu
    if machine.processor.lower() in PROCESSORS[wanted]:
        return ok("image platform", f"{wanted}, like this machine")
    if machine.system == "Linux" and (machine.emulation / HANDLERS[wanted]).exists():
        return ok("image platform", f"{wanted}, emulated by QEMU")
    if machine.system != "Linux" or _is_docker_desktop(machine):
        return note("image platform", f"{wanted} on {machine.processor}: Docker Desktop emulates it, slowly")
    own = next((cpu for cpu, names in PROCESSORS.items() if machine.processor.lower() in names), None)
    instead = f", or deploy with -c relay_cpu={own}" if own else ""
    install = f"docker run --privileged --rm tonistiigi/binfmt --install {wanted.replace('x86_64', 'amd64')}"
    return stop("image platform", f"{wanted} cannot be built on {machine.processor}: {install}{instead}")


def _is_docker_desktop(machine: Machine) -> bool:
    """Its virtual machine contains QEMU, which cannot be seen from Linux or WSL."""
    name = machine.run([machine.builder, "info", "--format", "{{.OperatingSystem}}"])
    return (name or "").startswith("Docker Desktop")
