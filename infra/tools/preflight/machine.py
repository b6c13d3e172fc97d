"""Checks whether this machine can build the relay's image."""

import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.settings import Processor, Settings
from infra.tools.preflight.finding import Finding, note, ok, stop

PROCESSORS: dict[Processor, tuple[str, str]] = {"arm64": ("arm64", "aarch64"), "x86_64": ("x86_64", "amd64")}
"""The names that operating systems use for the processors of the setting `relay_cpu`."""
HANDLERS: dict[Processor, str] = {"arm64": "qemu-aarch64", "x86_64": "qemu-x86_64"}
"""The names of QEMU's handlers, by the processor that they emulate."""
EMULATION = Path("/proc/sys/fs/binfmt_misc")
TIMEOUT_SECONDS = 20.0


def run(command: list[str]) -> str | None:
    """Return the output of a command, or None if it fails or takes too long."""
    try:
        process = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout if process.returncode == 0 else None


@dataclass(frozen=True)
class Machine:
    """The machine that deploys. `emulation` is the folder with the kernel's handlers for foreign binaries."""

    environment: Mapping[str, str]
    system: str = field(default_factory=platform.system)
    processor: str = field(default_factory=platform.machine)
    emulation: Path = EMULATION
    which: Callable[[str], str | None] = shutil.which
    run: Callable[[list[str]], str | None] = run

    @property
    def builder(self) -> str:
        """The command that CDK uses to build images."""
        return self.environment.get("CDK_DOCKER", "docker")

    @property
    def deploys_to_emulator(self) -> bool:
        """Whether the endpoint of AWS is replaced."""
        return "AWS_ENDPOINT_URL" in self.environment


def check_machine(settings: Settings, machine: Machine) -> list[Finding]:
    """Return the findings about building the relay's image. Without the relay, nothing is checked.

    For a deployment to an emulator, which may not need the image, findings are at most notes.
    """
    if not settings.live:
        return []
    findings = [_check_builder(machine)]
    if findings[0].mark == "ok":
        findings.append(_check_platform(settings, machine))
    return [_as_note(finding) for finding in findings] if machine.deploys_to_emulator else findings


def _as_note(finding: Finding) -> Finding:
    return replace(finding, mark="note") if finding.mark == "stop" else finding


def _check_builder(machine: Machine) -> Finding:
    name = machine.builder
    remedy = "or set CDK_DOCKER to another builder, or deploy without the relay: -c live=false"
    if machine.which(name) is None:
        return stop("image builder", f"`{name}` is not on PATH; install Docker, {remedy}")
    if machine.run([name, "version"]) is None:
        text = f"`{name} version` fails; its daemon may not be running, or you may not have access to it"
        return stop("image builder", f"{text}. Start it, {remedy}")
    return ok("image builder", f"{name} responds")


def _check_platform(settings: Settings, machine: Machine) -> Finding:
    target = settings.relay_cpu
    if machine.processor.lower() in PROCESSORS[target]:
        return ok("image platform", f"{target}, like this machine")
    if machine.system == "Linux" and (machine.emulation / HANDLERS[target]).exists():
        return ok("image platform", f"{target}, emulated by QEMU")
    if machine.system != "Linux" or _is_docker_desktop(machine):
        return note("image platform", f"{target} on {machine.processor}: Docker Desktop emulates it, slowly")
    native = next((cpu for cpu, names in PROCESSORS.items() if machine.processor.lower() in names), None)
    instead = f", or deploy with -c relay_cpu={native}" if native else ""
    install = f"docker run --privileged --rm tonistiigi/binfmt --install {target.replace('x86_64', 'amd64')}"
    text = f"{target} cannot be built on {machine.processor}"
    return stop("image platform", f"{text}; install QEMU: {install}{instead}")


def _is_docker_desktop(machine: Machine) -> bool:
    """Return whether Docker Desktop builds the image. Its QEMU is not visible outside its virtual machine."""
    name = machine.run([machine.builder, "info", "--format", "{{.OperatingSystem}}"])
    return (name or "").startswith("Docker Desktop")
