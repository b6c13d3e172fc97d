"""`make lock`: resolve each requirements.in into a lock that names every package with its hashes.

pip refuses a package whose file has another hash: https://pip.pypa.io/en/stable/topics/secure-installs/
"""

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from infra.tools.bundle import ROOT

INDEX = "https://pypi.org/simple"
LOCKS = (
    "functions/requirements",
    "functions/authorizer/requirements",
    "functions/webhook_sender/requirements",
    "functions/schedules/requirements",
    "functions/job_watchdog/requirements",
    "functions/sse_relay/requirements",
    "local/emulator-requirements",
    "docs/site/requirements",
    "requirements",
)
"""The paths of the locks without `.in` and `.txt`. The last one includes those in `functions`."""
PLATFORMS = re.compile(r"any|(many)?linux.*_(x86_64|aarch64)|macosx_.*")
TIMEOUT_SECONDS = 60


def main() -> None:
    """Write all locks. The versions of an earlier one bind the later ones."""
    pins: list[str] = []
    for lock in LOCKS:
        print(f"locking {lock}.in", flush=True)
        frozen = resolve(ROOT / f"{lock}.in", pins if lock == LOCKS[-1] else [])
        (ROOT / f"{lock}.txt").write_text(lock_text(f"{Path(lock).name}.in", frozen))
        if lock.startswith("functions/"):
            pins += frozen


def resolve(source: Path, pins: list[str]) -> list[str]:
    """Return `name==version` of every package that the requirements need, in a new environment."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins))
        python = Path(folder) / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        install = [*pip, "install", "--no-compile", "-r", str(source), "-c", str(constraints)]
        subprocess.run(install, check=True)  # noqa: S603
        frozen = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout  # noqa: S603
    return frozen.split()


def lock_text(source: str, frozen: list[str]) -> str:
    """Return the text of a lock."""
    lines = [
        f"# Locked from {source} by `make lock`: every package, direct or not, with the hashes of its files."
    ]
    for pin in frozen:
        name, version = pin.split("==")
        hashes = sorted(file["hashes"]["sha256"] for file in files_of(name, version))
        lines.append(" \\\n    ".join([pin, *(f"--hash=sha256:{digest}" for digest in hashes)]))
    return "\n".join(lines) + "\n"


def files_of(name: str, version: str) -> list[dict[str, Any]]:
    """Return the index's files of a release that this project can install: wheels, or else the source."""
    request = urllib.request.Request(  # noqa: S310
        f"{INDEX}/{canonicalize_name(name)}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        files: list[dict[str, Any]] = json.load(response)["files"]
    wheels = [file for file in files if is_wheel_of(file["filename"], version)]
    source = f"{version}.tar.gz"
    chosen = wheels or [file for file in files if file["filename"].endswith(source)]
    if not chosen:
        raise SystemExit(f"{name}=={version}: the index has no file that this project can install")
    return chosen


def is_wheel_of(filename: str, version: str) -> bool:
    """Return whether the file is a wheel of this version for a platform of this project."""
    if not filename.endswith(".whl"):
        return False
    try:
        _, wheel_version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:  # old releases have names that are not valid any more
        return False
    return str(wheel_version) == version and any(map(_is_supported, tags))


def _is_supported(tag: Tag) -> bool:
    if not PLATFORMS.fullmatch(tag.platform):
        return False
    new_enough = re.fullmatch(r"(py3|cp31[1-4]|py31[1-4])", tag.interpreter)
    return bool(new_enough) or tag.abi == "abi3"


if __name__ == "__main__":
    main()
