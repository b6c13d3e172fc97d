"""Checks of this machine: can it build the relay's image?"""

import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.preflight.finding import Finding, note, ok, stop
from infra.settings import Settings

PROCESSORS = {"arm64": ("arm64", "aarch64"), "x86_64": ("x86_64", "amd64")}
"""What the machines of each `relay_cpu` call themselves."""
HANDLERS = {"arm64": "qemu-aarch64", "x86_64": "qemu-x86_64"}
EMULATION = Path("/proc/sys/fs/binfmt_misc")
SECONDS = 20.0


def ask(command: list[str]) -> str | None:
    """Return what a command prints, or None if it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True)
class Machine:
    """Where the deployment is made from. Tests give their own."""

    environment: Mapping[str, str]
    system: str = field(default_factory=platform.system)
    processor: str = field(default_factory=platform.machine)
    emulation: Path = EMULATION
    which: Callable[[str], str | None] = shutil.which
    ask: Callable[[list[str]], str | None] = ask


def check_machine(settings: Settings, machine: Machine) -> list[Finding]:
    """Return what keeps the image from being built; nothing is checked without a relay."""
    if not settings.live:
        return []
    given = machine.environment.get("CDK_DOCKER")
    if given and "AWS_ENDPOINT_URL" in machine.environment:
        return [note("image builder", f"{given}, not checked: AWS_ENDPOINT_URL names an emulator")]
    builder = _builder(machine)
    return [builder] if builder.mark == "stop" else [builder, _platform(settings, machine)]


def _builder(machine: Machine) -> Finding:
    """CDK runs what `CDK_DOCKER` names in place of `docker`."""
    name = machine.environment.get("CDK_DOCKER", "docker")
    remedy = "or name another builder in CDK_DOCKER, or leave the relay out: -c live=false"
    if machine.which(name) is None:
        return stop("image builder", f"`{name}` is not on PATH. Install Docker, {remedy}")
    if machine.ask([name, "version"]) is None:
        text = f"`{name} version` fails: its daemon may not run, or not be open to you"
        return stop("image builder", f"{text}. Start it, {remedy}")
    return ok("image builder", f"{name} answers")


def _platform(settings: Settings, machine: Machine) -> Finding:
    wanted = settings.relay_cpu
    if machine.processor.lower() in PROCESSORS[wanted]:
        return ok("image platform", f"{wanted}, as this machine")
    if machine.system != "Linux":
        return note("image platform", f"{wanted} on {machine.processor}: Docker Desktop emulates it, slowly")
    if (machine.emulation / HANDLERS[wanted]).exists():
        return ok("image platform", f"{wanted}, emulated by QEMU")
    if _is_docker_desktop(machine):
        return note("image platform", f"{wanted} on {machine.processor}: Docker Desktop emulates it, slowly")
    own = next((cpu for cpu, names in PROCESSORS.items() if machine.processor.lower() in names), None)
    instead = f", or deploy with -c relay_cpu={own}" if own else ""
    install = f"docker run --privileged --rm tonistiigi/binfmt --install {wanted.replace('x86_64', 'amd64')}"
    return stop("image platform", f"{wanted} cannot be built on {machine.processor}: {install}{instead}")


def _is_docker_desktop(machine: Machine) -> bool:
    """Its virtual machine brings QEMU, which is not seen from Linux or WSL."""
    name = machine.environment.get("CDK_DOCKER", "docker")
    told = machine.ask([name, "info", "--format", "{{.OperatingSystem}}"])
    return (told or "").startswith("Docker Desktop")
