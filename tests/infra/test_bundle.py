"""The bundles: what they contain, for which platform, and a hash that depends on nothing else.

Packages of kinds are wheels that the tests make, so pip does not use the network.
"""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.kinds import KINDS, Declaration, read_kinds
from infra.tools import bundle
from infra.tools.bundle import BundleError, Bundles, target_of
from tests.declarations import declare

LAMBDA = target_of("lambda")
ARM64 = 183
"""The machine type in the header of a binary: https://man7.org/linux/man-pages/man5/elf.5.html"""


@pytest.fixture
def bundles() -> Bundles:
    return Bundles(read_kinds(), LAMBDA)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_contains_functions_kinds_libraries_and_the_contract(bundles: Bundles) -> None:
    folder, _ = bundles.build()
    contents = names(folder)
    assert {"functions/create_job/handler.py", "functions/common/kind.py"} <= contents
    assert {"kinds/countdown.py", "kinds/photo/__init__.py", "kinds/photo/find_photos.py"} <= contents
    assert {"aws_lambda_powertools/__init__.py", "requests/__init__.py", "msgspec/__init__.py"} <= contents
    unwanted = ("sse_relay", "boto", "functions/common/testing.py", "functions/requirements")
    assert not [name for name in contents if any(text in name for text in unwanted)]
    document = json.loads((folder / "functions" / "read_jobs" / "openapi.json").read_text())
    assert "PhotoInput" in document["components"]["schemas"]
    kinds = json.loads((folder / "functions" / "read_jobs" / "kinds.json").read_text())
    assert [kind["name"] for kind in kinds["data"]] == ["countdown", "photo"]


def test_native_files_are_for_the_runtime_in_aws(bundles: Bundles) -> None:
    native = list(bundles.build()[0].rglob("*.so"))
    assert [path for path in native if path.parent.name == "msgspec"]
    for path in native:
        assert int.from_bytes(path.read_bytes()[18:20], "little") == ARM64, path
        assert "cpython-314-aarch64" in path.name or "abi3" in path.name


def test_the_local_bundle_is_for_the_emulators_interpreter() -> None:
    target = target_of("local")
    assert target.python == bundle.EMULATOR_PYTHON
    assert target.options == ()  # pip downloads for its own interpreter
    assert target.name != LAMBDA.name


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the sources to another folder. The libraries are those of the real build."""
    Bundles({}, LAMBDA).build()
    copy = tmp_path / "functions"
    shutil.copytree(bundle.SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".build").mkdir()
    for folder in bundle.BUILD.glob("libraries-*"):
        (tmp_path / ".build" / folder.name).symlink_to(folder)
    contract = [Path(shutil.copy(path, tmp_path)) for path in bundle.CONTRACT]
    for name, place in (("ROOT", tmp_path), ("SOURCES", copy), ("BUILD", tmp_path / ".build")):
        monkeypatch.setattr(bundle, name, place)
    monkeypatch.setattr(bundle, "REQUIREMENTS", copy / "requirements.txt")
    monkeypatch.setattr(bundle, "CONTRACT", contract)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return copy


def test_the_asset_does_not_depend_on_the_folder_or_on_what_is_not_deployed(
    bundles: Bundles, elsewhere: Path
) -> None:
    built = Bundles(read_kinds(), LAMBDA).build()
    assert built[1] == bundles.build()[1]
    (elsewhere / "sse_relay" / "hub.py").write_text("# the relay is not in the bundle")
    (elsewhere / "common" / "testing.py").write_text("# for tests")
    (elsewhere / "requirements.in").write_text("# only its lock counts")
    assert bundles.build()[1] == built[1]


def change_source(bundles: Bundles, folder: Path) -> Bundles:
    (folder / "common" / "job.py").write_text("# another source")
    return replace(bundles)


def change_contract(bundles: Bundles, folder: Path) -> Bundles:
    (folder.parent / "contract.json").write_text("{}")
    return bundles


def change_lock(bundles: Bundles, folder: Path) -> Bundles:
    (folder / "requirements.txt").write_text("")
    return bundles


def change_platform(bundles: Bundles, _: Path) -> Bundles:
    return replace(bundles, target=replace(LAMBDA, name="arm64 Linux with Python 3.15"))


def change_kind(bundles: Bundles, folder: Path) -> Bundles:
    source = Path(shutil.copy(bundles.declarations["countdown"].source, folder.parent))
    source.write_text(f"{source.read_text()}\n# changed")
    changed = replace(bundles.declarations["countdown"], source=source)
    return Bundles({**bundles.declarations, "countdown": changed}, LAMBDA)


@pytest.mark.parametrize(
    "change", [change_source, change_contract, change_lock, change_platform, change_kind]
)
def test_the_asset_depends_on_what_it_is_built_from(
    bundles: Bundles,
    elsewhere: Path,
    change: Callable[[Bundles, Path], Bundles],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Bundles, "_write", lambda _, folder, __: folder.mkdir())
    before = bundles.build()[1]
    assert bundles.build()[1] == before
    assert change(bundles, elsewhere).build()[1] != before


def wheel(folder: Path, *, name: str = "tiny", tag: str = "py3-none-any", needs: str = "") -> None:
    """Make a wheel with one module: https://packaging.python.org/specifications/binary-distribution-format"""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    metadata += f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as file:
        file.writestr(f"{name}.py", "VALUE = 1\n")
        file.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
        file.writestr(f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        file.writestr(f"{name}-1.0.dist-info/RECORD", "")


@pytest.fixture
def with_packages(elsewhere: Path) -> dict[str, Declaration]:
    """Return the declarations with one more, whose requirements are `tiny==1.0`."""
    package = elsewhere.parent / "more" / "thumb"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(declare("thumb"))
    (package / "requirements.txt").write_text("tiny==1.0\n")
    return read_kinds([KINDS, package.parent])


def test_only_the_workers_bundle_contains_the_packages_of_its_kind(
    with_packages: dict[str, Declaration], elsewhere: Path
) -> None:
    wheel(elsewhere.parent, needs="helper")
    wheel(elsewhere.parent, name="helper")
    bundles = Bundles(with_packages, LAMBDA)
    folder, own_hash = bundles.build(kind="thumb")
    assert {"tiny.py", "helper.py", "kinds/thumb/__init__.py", "msgspec/__init__.py"} <= names(folder)
    other, other_hash = bundles.build(kind="photo")
    assert (other, other_hash) == bundles.build() == bundles.build(kind="countdown")
    assert own_hash != other_hash
    assert not {"tiny.py", "helper.py"} & names(other)
    assert "kinds/thumb/__init__.py" in names(other)  # create_job reads the declaration


ANY_ARM64 = [
    "cp314-cp314-manylinux2014_aarch64",
    "cp314-cp314-manylinux_2_28_aarch64",
    "cp311-abi3-manylinux2014_aarch64",
]
OTHERS = [
    "cp314-cp314-manylinux2014_x86_64",
    "cp313-cp313-manylinux2014_aarch64",
    "cp314-cp314-macosx_11_0_arm64",
]


@pytest.mark.parametrize("tag", ANY_ARM64)
def test_wheels_for_the_runtime_in_aws_are_used(
    with_packages: dict[str, Declaration], elsewhere: Path, tag: str
) -> None:
    wheel(elsewhere.parent, tag=tag)
    assert "tiny.py" in names(Bundles(with_packages, LAMBDA).build(kind="thumb")[0])


@pytest.mark.parametrize("tag", OTHERS)
def test_a_package_without_a_wheel_for_the_platform_is_named(
    with_packages: dict[str, Declaration], elsewhere: Path, tag: str
) -> None:
    wheel(elsewhere.parent, tag=tag)
    with pytest.raises(BundleError) as error:
        Bundles(with_packages, LAMBDA).build(kind="thumb")
    message = str(error.value)
    assert message.startswith("more/thumb/requirements.txt: ")
    assert "arm64 Linux with Python 3.14" in message
    assert "tiny==1.0" in message
    assert not list(bundle.BUILD.glob("*tiny*"))
    wheel(elsewhere.parent, tag=ANY_ARM64[0])  # a failure leaves nothing that prevents the next attempt
    assert "tiny.py" in names(Bundles(with_packages, LAMBDA).build(kind="thumb")[0])


def test_a_package_that_is_only_published_as_source_is_not_built(
    with_packages: dict[str, Declaration], elsewhere: Path
) -> None:
    (elsewhere.parent / "tiny-1.0.tar.gz").write_bytes(b"")
    with pytest.raises(BundleError, match=r"tiny==1\.0"):
        Bundles(with_packages, LAMBDA).build(kind="thumb")


def test_a_package_that_needs_another_version_of_a_shared_library_is_refused(
    with_packages: dict[str, Declaration], elsewhere: Path
) -> None:
    wheel(elsewhere.parent, needs="requests<2")
    with pytest.raises(BundleError, match=r"Cannot install -r .*thumb/requirements\.txt \(line 1\)"):
        Bundles(with_packages, LAMBDA).build(kind="thumb")


def test_of_two_concurrent_builds_the_slower_uses_the_result_of_the_faster(
    bundles: Bundles, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "common" / "job.py").write_text("# not built yet")
    copytree = shutil.copytree
    quicker = []

    def interrupted(source: Path, target: Path, **options: Any) -> Path:
        monkeypatch.setattr("infra.tools.bundle.shutil.copytree", copytree)
        quicker.append(bundles.build())
        return copytree(source, target, **options)

    monkeypatch.setattr("infra.tools.bundle.shutil.copytree", interrupted)
    assert [bundles.build()] == quicker
    assert list(bundle.BUILD.glob("bundle-*")) == [quicker[0][0]]


def test_byte_code_is_added_if_the_runtimes_python_is_installed(
    bundles: Bundles, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = {f"python{bundle.RUNTIME}": sys.executable}
    monkeypatch.setattr("infra.tools.bundle.shutil.which", {}.get)
    plain, plain_hash = Bundles(bundles.declarations, target_of("lambda")).build()
    assert not list(plain.rglob("*.pyc"))
    monkeypatch.setattr("infra.tools.bundle.shutil.which", commands.get)
    compiled, compiled_hash = Bundles(bundles.declarations, target_of("lambda")).build()
    assert compiled_hash != plain_hash
    (code,) = (compiled / "functions" / "create_job" / "__pycache__").glob("handler.*.pyc")
    flags = int.from_bytes(code.read_bytes()[4:8], "little")
    assert flags == 0b01  # hash-based, not checked against the source: https://peps.python.org/pep-0552/
    assert target_of("local").compiler is None  # the emulator's functions can write their own


@pytest.mark.parametrize("name", ["schedules", "job_watchdog"])
def test_only_the_functions_that_compute_times_of_schedules_have_the_packages_for_it(name: str) -> None:
    bundles = Bundles({}, target_of("lambda"))
    own, shared = ({path.name for path in bundles.build(each)[0].iterdir()} for each in (name, "read_jobs"))
    packages = {"cronsim", "tzdata"}
    assert packages <= own
    assert not packages & shared
