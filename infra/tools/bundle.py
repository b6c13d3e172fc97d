"""Build the code bundle that all functions share. It needs pip, but not Docker.

The bundle contains only pure Python, so that a bundle built on any machine runs in Lambda. pip is told to
install only such packages, and a native file fails the build. The hash covers the sources and the locked
requirements, so equal sources result in equal assets on every machine.

Lambda's code folder is read-only, so without byte code in the bundle every cold start would compile what it
imports. If this machine has the Python version of the runtime, the bundle contains byte code, and the hash
has a suffix.
"""

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "functions"
REQUIREMENTS = SOURCES / "requirements.txt"
BUILD = ROOT / ".build"
RUNTIME = "3.14"
"""The Python version of the functions. It ignores byte code of other versions."""
NATIVE = {".so", ".pyd", ".dylib"}


def build_bundle() -> tuple[Path, str]:
    """Build the bundle if its sources have changed. Returns its folder and its hash.

    Raises subprocess.CalledProcessError if pip fails, and RuntimeError if a package contains a native file.
    """
    sources = [path for path in sorted(SOURCES.rglob("*")) if _is_included(path)]
    requirements_hash = _hash([REQUIREMENTS])
    compiler = shutil.which(f"python{RUNTIME}")
    bundle_hash = _hash([REQUIREMENTS, *sources]) + ("c" if compiler else "")
    bundle = BUILD / f"bundle-{bundle_hash}"
    if not bundle.exists():
        libraries = _install_libraries(BUILD / f"libraries-{requirements_hash}")
        with _temporary_folder_for(bundle) as folder:
            shutil.copytree(libraries, folder)
            for path in sources:
                target = folder / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            if compiler:
                _compile(compiler, folder)
    return bundle, bundle_hash


def _compile(python: str, folder: Path) -> None:
    """Add byte code that does not depend on the files' modification times, which packaging changes."""
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603


def _is_included(path: Path) -> bool:
    """Return whether a file belongs to the bundle. The relay is a container with its own dependencies."""
    names = path.relative_to(SOURCES).parts
    return path.suffix in (".py", ".json") and names[0] != "sse_relay" and "__pycache__" not in names


def _install_libraries(folder: Path) -> Path:
    if not folder.exists():
        pure = ["--platform", "any", "--implementation", "py", "--abi", "none", "--only-binary=:all:"]
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--require-hashes"]
        command = [sys.executable, "-m", "pip", "install", *options, *pure]
        with _temporary_folder_for(folder) as target:
            subprocess.run([*command, "--target", str(target), "-r", str(REQUIREMENTS)], check=True)  # noqa: S603
            native = [path.name for path in target.rglob("*") if path.suffix in NATIVE]
            if native:
                raise RuntimeError(f"native files in the bundle: {', '.join(native)}")
    return folder


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


def _hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
