"""The one code bundle that all functions share, made by pip, without Docker.

Pure Python only, so what is made on any machine runs on any other: pip is told to take nothing else,
and a native file fails the build. The hash is over the sources and the locked requirements, so the same
sources give the same asset wherever they are built.

Lambda's code folder is read-only, so without byte code in it every cold start compiles what it imports. If
this machine has a Python of the runtime's version, the bundle contains its byte code, and the hash says so.
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
"""The Python that the functions run on; byte code of another version is ignored by it."""
NATIVE = {".so", ".pyd", ".dylib"}


def build_bundle() -> tuple[Path, str]:
    """Make the bundle if its sources have changed. Returns its folder and its hash.

    Raises subprocess.CalledProcessError if pip fails, RuntimeError on a native file.
    """
    sources = [path for path in sorted(SOURCES.rglob("*")) if _belongs(path)]
    requirements_hash = _hash([REQUIREMENTS])
    compiler = shutil.which(f"python{RUNTIME}")
    bundle_hash = _hash([REQUIREMENTS, *sources]) + ("c" if compiler else "")
    bundle = BUILD / f"bundle-{bundle_hash}"
    if not bundle.exists():
        libraries = _libraries(BUILD / f"libraries-{requirements_hash}")
        with _draft_of(bundle) as draft:
            shutil.copytree(libraries, draft)
            for path in sources:
                target = draft / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            if compiler:
                _compile(compiler, draft)
    return bundle, bundle_hash


def _compile(python: str, folder: Path) -> None:
    """Add byte code that is valid whatever the files' times are: packing the asset changes them."""
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603


def _belongs(path: Path) -> bool:
    """The functions' sources, but not the relay's: that is a container, with dependencies of its own."""
    inside = path.relative_to(SOURCES).parts
    return path.suffix in (".py", ".json") and inside[0] != "sse_relay" and "__pycache__" not in inside


def _libraries(folder: Path) -> Path:
    if not folder.exists():
        pure = ["--platform", "any", "--implementation", "py", "--abi", "none", "--only-binary=:all:"]
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
        command = [sys.executable, "-m", "pip", "install", *options, *pure]
        with _draft_of(folder) as draft:
            subprocess.run([*command, "--target", str(draft), "-r", str(REQUIREMENTS)], check=True)  # noqa: S603
            native = [path.name for path in draft.rglob("*") if path.suffix in NATIVE]
            if native:
                raise RuntimeError(f"native files in the bundle: {', '.join(native)}")
    return folder


@contextlib.contextmanager
def _draft_of(folder: Path) -> Iterator[Path]:
    """A place to make a folder's content in, which becomes the folder if nothing is raised. It is this
    process's own: another one may be making the same."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as own:
        draft = Path(own) / folder.name
        yield draft
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():  # else the other one was quicker
                raise


def _hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
