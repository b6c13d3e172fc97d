"""A mistake in a declaration, a setting or a package stops the synthesis with one line that names it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.kinds import KindError, read_kinds
from infra.tools.bundle import ROOT
from tests import conftest
from tests.declarations import declare
from tests.infra.test_jobs_stack import named


def synth(outdir: Path, **context: str) -> tuple[int, str]:
    """Run the app as `cdk` does. Returns the exit status and what it wrote to stderr."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(outdir),
    }
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (declare("photo"), "kinds/photo has a kind of the name photo, too"),
        (declare("Words"), "name must match [a-z][a-z0-9_]{0,31}"),
        (declare("words", "timeout=881"), "timeout must be from 1 to 880"),
        (declare("words", "concurrency=1"), "concurrency must be from 2 to 1000"),
        (declare("words").replace('text: str = ""', "text: str = 5"), "input.text has a default that"),
        (f"import boto3\n{declare('words')}", "import boto3 inside the work"),
    ],
)
def test_a_faulty_declaration_is_refused(tmp_path: Path, source: str, reason: str) -> None:
    (tmp_path / "words.py").write_text(source)
    with pytest.raises(KindError) as refused:
        read_kinds([ROOT / "kinds", tmp_path])
    error = str(refused.value)
    assert "\n" not in error
    assert error.startswith(f"{tmp_path}/words.py:")
    assert reason in error


def test_a_faulty_declaration_stops_the_synthesis(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text(declare("words", "timeout=881"))
    status, error = synth(tmp_path / "out", kinds_folders=str(tmp_path))
    assert (status, error) == (1, f"{tmp_path}/words.py: timeout must be from 1 to 880\n")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_an_unknown_setting_of_a_kind_stops_the_synthesis(tmp_path: Path) -> None:
    status, error = synth(tmp_path / "out", **{"kind.photo.timout": "5"})
    assert (status, error) == (1, "setting kind.photo.timout is unknown; did you mean kind.photo.timeout?\n")


def test_a_package_without_a_wheel_stops_the_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "thumb").mkdir()
    (tmp_path / "thumb" / "__init__.py").write_text(declare("thumb"))
    (tmp_path / "thumb" / "requirements.txt").write_text("no-such-package==1.0\n")
    status, error = synth(tmp_path / "out", kinds_folders=str(tmp_path), live="false", web="false")
    assert (status, error.count("\n")) == (1, 1), error
    for text in (f"{tmp_path}/thumb/requirements.txt", "arm64 Linux", "no-such-package==1.0"):
        assert text in error


def test_a_faulty_declaration_stops_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> None:
        raise KindError("kinds/words.py: timeout must be from 1 to 880")

    monkeypatch.setattr(conftest, "read_kinds", read)
    with pytest.raises(pytest.UsageError, match=r"^kinds/words.py: timeout must"):
        conftest.pytest_configure()


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (declare("key_1"), declare("key1"), "the kind key1 is too similar to key_1"),
        (declare("a__b"), declare("a_b"), "the kind a_b is too similar to a__b"),
        (declare("a", "secrets=('k_1',)"), declare("b", "secrets=('k1',)"), "the secret k1 is too similar"),
        (
            declare("a", "budgets=(Budget('u_1', 1, 1),)"),
            declare("b", "budgets=(Budget('u1', 1, 1),)"),
            "the budget u1 is too similar to u_1",
        ),
    ],
)
def test_names_that_would_be_the_same_in_the_templates_are_refused(
    tmp_path: Path, first: str, second: str, message: str
) -> None:
    (tmp_path / "a.py").write_text(first)
    (tmp_path / "b.py").write_text(second)
    with pytest.raises(KindError, match=f"b.py: {message}"):
        read_kinds([tmp_path])


def test_kinds_may_share_secrets_and_the_names_of_budgets(tmp_path: Path) -> None:
    options = "secrets=('key_1',), budgets=(Budget('key_1', 1, 1),)"
    (tmp_path / "a.py").write_text(declare("key_1", options))
    (tmp_path / "b.py").write_text(declare("b", options))
    assert list(read_kinds([tmp_path])) == ["b", "key_1"]


ENVIRONMENT_BYTES = 4096
"""Lambda's limit: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


@pytest.mark.parametrize("prefix", ["k", "a_kind_whose_name_is_long_"])
def test_as_many_kinds_are_accepted_as_fit_into_the_environment(tmp_path: Path, prefix: str) -> None:
    for number in range(40):
        name = f"{prefix}{number:02}"
        (tmp_path / f"{name}.py").write_text(declare(name))
    with pytest.raises(KindError, match="there are too many kinds") as refused:
        read_kinds([ROOT / "kinds", tmp_path])
    first_refused = Path(str(refused.value).split(":")[0])
    accepted = [path for path in sorted(tmp_path.iterdir()) if path < first_refused]
    assert len(accepted) >= 15
    for path in set(tmp_path.glob("*.py")) - set(accepted):
        path.unlink()
    stacks = conftest.synth_stacks(live="false", web="false", ops="false", kinds_folders=str(tmp_path))
    function = named(stacks["CaloJobs"], "AWS::Lambda::Function", "JobWatchdog")
    size = sum(len(name) + length(value) for name, value in function["Environment"]["Variables"].items())
    assert ENVIRONMENT_BYTES - 600 < size < ENVIRONMENT_BYTES


def length(value: Any) -> int:
    """Return how long a value is when it is deployed. The longest names of regions have 14 characters."""
    if isinstance(value, str):
        return len(value)
    if "Ref" in value:
        name = f"CaloJobs-{value['Ref']}-0123456789ABC"
        return len(f"https://sqs.ap-southeast-1.amazonaws.com/123456789012/{name}")
    return sum(length(part) for part in value["Fn::Join"][1])
