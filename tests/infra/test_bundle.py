"""The bundle: pure Python, the functions' sources, and a hash that depends on nothing else."""

import shutil
import sys
from pathlib import Path

import pytest

from infra.tools import bundle


@pytest.fixture
def built() -> tuple[Path, str]:
    return bundle.build_bundle()


def test_the_bundle_is_pure_python_and_contains_what_handlers_import(built: tuple[Path, str]) -> None:
    folder, _ = built
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"functions/create_job/handler.py", "functions/read_jobs/openapi.json"} <= names
    assert {"aws_lambda_powertools/__init__.py", "requests/__init__.py"} <= names
    assert not [name for name in names if name.endswith(tuple(bundle.NATIVE))]
    assert not [name for name in names if "sse_relay" in name or name.startswith("boto")]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the sources to another folder. The libraries are those of the real build."""
    copy = tmp_path / "functions"
    shutil.copytree(bundle.SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    libraries = bundle.BUILD.glob("libraries-*")
    (tmp_path / ".build").mkdir()
    for folder in libraries:
        (tmp_path / ".build" / folder.name).symlink_to(folder)
    for name, place in (("ROOT", tmp_path), ("SOURCES", copy), ("BUILD", tmp_path / ".build")):
        monkeypatch.setattr(bundle, name, place)
    monkeypatch.setattr(bundle, "REQUIREMENTS", copy / "requirements.txt")
    return copy


def test_the_asset_depends_only_on_the_sources(built: tuple[Path, str], elsewhere: Path) -> None:
    assert bundle.build_bundle()[1] == built[1]
    (elsewhere / "sse_relay" / "hub.py").write_text("# the relay is not in the bundle")
    assert bundle.build_bundle()[1] == built[1]
    (elsewhere / "common" / "job.py").write_text("# another source")
    assert bundle.build_bundle()[1] != built[1]


def test_a_native_file_fails_the_build(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(command: list[str], **_: object) -> None:
        folder = Path(command[command.index("--target") + 1])
        folder.mkdir()
        (folder / "fast.cpython-313-x86_64-linux-gnu.so").touch()

    (elsewhere / "requirements.txt").write_text("something-native==1.0")
    monkeypatch.setattr("infra.tools.bundle.subprocess.run", install)
    with pytest.raises(RuntimeError, match="native files in the bundle: fast"):
        bundle.build_bundle()


def test_of_two_concurrent_builds_the_slower_uses_the_result_of_the_faster(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "common" / "job.py").write_text("# not built yet")
    copytree = shutil.copytree
    quicker = []

    def interrupted(source: Path, target: Path) -> Path:
        monkeypatch.setattr("infra.tools.bundle.shutil.copytree", copytree)
        quicker.append(bundle.build_bundle())
        return copytree(source, target)

    monkeypatch.setattr("infra.tools.bundle.shutil.copytree", interrupted)
    assert [bundle.build_bundle()] == quicker
    assert list(bundle.BUILD.glob("bundle-*")) == [quicker[0][0]]


def test_byte_code_is_added_if_the_runtimes_python_is_installed(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.tools.bundle.shutil.which", {}.get)
    plain, plain_hash = bundle.build_bundle()
    assert not list(plain.rglob("*.pyc"))
    monkeypatch.setattr("infra.tools.bundle.shutil.which", {f"python{bundle.RUNTIME}": sys.executable}.get)
    compiled, compiled_hash = bundle.build_bundle()
    assert compiled_hash != plain_hash
    (code,) = (compiled / "functions" / "create_job" / "__pycache__").glob("handler.*.pyc")
    flags = int.from_bytes(code.read_bytes()[4:8], "little")
    assert flags == 0b01  # hash-based, not checked against the source: https://peps.python.org/pep-0552/
