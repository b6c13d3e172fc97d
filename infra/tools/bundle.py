"""Build the code bundles of the functions. It needs pip, but not Docker.

The functions share one bundle: functions, kinds, the API's contract, and the packages of
functions/requirements.txt. A function, or the worker of a kind, that has its own requirements.txt has another
bundle, with these packages added. Packages are downloaded as wheels for the platform on which the functions
run. The hash covers the sources, the requirements and the platform, so equal sources result in equal assets
on every machine.

Lambda's code folder is read-only, so without byte code in the bundle every cold start would compile what it
imports. If this machine has the Python version of the runtime, the bundle contains byte code, and the hash
has a suffix.
"""

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from infra.kinds import Declaration
from infra.tools import contract

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "functions"
REQUIREMENTS = SOURCES / "requirements.txt"
CONTRACT = [ROOT / "infra" / "tools" / name for name in ("contract.py", "contract.json")]
"""What the API's contract is generated from, besides the declarations."""
BUILD = ROOT / ".build"
RUNTIME = "3.14"
"""The Python version of the functions in AWS. It ignores byte code of other versions."""
NOT_DEPLOYED = ("sse_relay", "testing.py")
"""The relay is a container with its own dependencies; functions/common/testing.py is for tests."""
EMULATOR_PYTHON = ROOT / ".venv-emulator" / "bin" / "python"
PIN = re.compile(r"^[\w.-]+==\S+", re.MULTILINE)
PIP = (
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-compile",
    "--only-binary=:all:",
)


class BundleError(Exception):
    """A bundle cannot be built. The message says what to change."""


@dataclass(frozen=True)
class Target:
    """Where the functions run: a name for the hash, the interpreter whose pip is used, and its options.

    `compiler` is the command that compiles for this target, if it needs byte code and the machine has it.
    """

    name: str
    python: Path
    options: tuple[str, ...] = ()
    compiler: str | None = None


def target_of(platform: str) -> Target:
    """Return the target of the setting `functions_platform`.

    MiniStack runs the functions with the interpreter of its virtual environment.
    """
    if platform == "lambda":
        options = ["--implementation", "cp", "--python-version", RUNTIME]
        for name in ("manylinux2014_aarch64", "manylinux_2_28_aarch64"):
            options += ["--platform", name]
        for abi in (f"cp{RUNTIME.replace('.', '')}", "abi3", "none"):
            options += ["--abi", abi]
        name = f"arm64 Linux with Python {RUNTIME}"
        return Target(name, Path(sys.executable), tuple(options), shutil.which(f"python{RUNTIME}"))
    python = EMULATOR_PYTHON if EMULATOR_PYTHON.exists() else Path(sys.executable)
    return Target(f"{sysconfig.get_platform()} with Python {_version(python)}", python)


@cache
def _version(python: Path) -> str:
    command = [str(python), "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


@dataclass(frozen=True)
class Bundles:
    """Builds the bundles for these kinds and this target."""

    declarations: Mapping[str, Declaration]
    target: Target

    def build(self, function: str = "", kind: str | None = None) -> tuple[Path, str]:
        """Build the bundle of a function, or of a kind's worker, if it has changed. Most have the same.

        Returns its folder and its hash. Raises BundleError if a package has no wheel for the target.
        """
        requirements = [REQUIREMENTS]
        own = SOURCES / function / "requirements.txt"
        if function and own.exists():
            requirements.append(own)
        if kind and (of_kind := self.declarations[kind].requirements):
            requirements.append(of_kind)
        bundle_hash = self._hash_of(requirements)
        bundle = BUILD / f"bundle-{bundle_hash}"
        if not bundle.exists():
            with _temporary_folder_for(bundle) as folder:
                self._write(folder, requirements)
        return bundle, bundle_hash

    def _hash_of(self, requirements: list[Path]) -> str:
        inputs = {f"requirements {number}": path.read_bytes() for number, path in enumerate(requirements)}
        inputs |= {path.name: path.read_bytes() for path in CONTRACT}
        suffix = "c" if self.target.compiler else ""
        return _hash(self.target, {**self._sources, **inputs}) + suffix

    def _write(self, folder: Path, requirements: list[Path]) -> None:
        for path in requirements:
            shutil.copytree(self._libraries(path), folder, dirs_exist_ok=True)
        for name, content in self._sources.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        contract.write(folder / "functions" / "read_jobs", self.declarations)
        if self.target.compiler:
            _compile(self.target.compiler, folder)

    @cached_property
    def _sources(self) -> dict[str, bytes]:
        """The contents of the files by their names in the bundle. They are read once for all functions."""
        paths = {
            str(path.relative_to(ROOT)): path for path in sorted(SOURCES.rglob("*")) if _is_included(path)
        }
        for declaration in self.declarations.values():
            folder = declaration.source.parent
            paths |= {f"kinds/{path.relative_to(folder)}": path for path in declaration.files}
        return {name: path.read_bytes() for name, path in paths.items()}

    def _libraries(self, requirements: Path) -> Path:
        """Download the packages, unless they have been. A kind's packages must fit those of the functions."""
        inputs = {"": requirements.read_bytes(), "functions": REQUIREMENTS.read_bytes()}
        folder = BUILD / f"libraries-{_hash(self.target, inputs)}"
        if not folder.exists():
            with _temporary_folder_for(folder) as target, tempfile.NamedTemporaryFile("w") as constraints:
                options = ["--no-deps", "--require-hashes"]
                if not requirements.is_relative_to(SOURCES):  # those of a kind need not be locked
                    constraints.write("\n".join(PIN.findall(REQUIREMENTS.read_text())))
                    constraints.flush()
                    options = ["--constraint", constraints.name]
                command = [str(self.target.python), *PIP, *self.target.options, *options]
                command += ["-r", str(requirements), "--target", str(target)]
                done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
                if done.returncode:
                    raise BundleError(_pip_error(requirements, self.target, done.stderr))
        return folder


def _pip_error(requirements: Path, target: Target, output: str) -> str:
    """Return pip's first error. It names the package that has no wheel for the target."""
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    shown = requirements.relative_to(ROOT) if requirements.is_relative_to(ROOT) else requirements
    reason = errors[0] if errors else output.strip()
    return f"{shown}: pip cannot install these packages as wheels for {target.name}: {reason}"


def _compile(python: str, folder: Path) -> None:
    """Add byte code that does not depend on the files' modification times, which packaging changes."""
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603


def _is_included(path: Path) -> bool:
    names = path.relative_to(SOURCES).parts
    is_source = path.suffix == ".py" and "__pycache__" not in names
    return is_source and not any(name in NOT_DEPLOYED for name in names)


@contextlib.contextmanager
def _temporary_folder_for(folder: Path) -> Iterator[Path]:
    """Yield a temporary path, and rename it to `folder` if no exception is raised.

    Each process uses its own path, because several processes may build the same folder.
    """
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as parent:
        temporary = Path(parent) / folder.name
        yield temporary
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.exists():  # otherwise another process has built it
                raise


def _hash(target: Target, files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(target.name.encode())
    for name, content in files.items():
        digest.update(f"\n{name}\n".encode() + content)
    return digest.hexdigest()[:16]
