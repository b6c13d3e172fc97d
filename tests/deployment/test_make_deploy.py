"""`make deploy` itself, against the emulated account."""

import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.deployment import ROOT
from tests.deployment.conftest import Account


@pytest.fixture
def clean(account: Account) -> Iterator[Account]:
    assert account.stacks() == {}
    yield account
    account.destroy()


def make_deploy(account: Account, *arguments: str) -> str:
    command = [sys.executable, "-m", "infra.deploy", "--require-approval", "never", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        # the emulator says that it has every image already, so none is built
        env={**account.emulator.environment, "CDK_DOCKER": "true"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_deployment_is_checked_and_explained_and_names_what_is_left_out(clean: Account) -> None:
    cpu = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    told = make_deploy(clean, "-c", f"relay_cpu={cpu}")
    assert "ok    CDK bootstrap: version" in told
    assert "stop" not in told
    assert "The web app is at https://" in told
    assert "/live\n" in told
    assert "delete-stack" not in told
    told = make_deploy(clean, "-c", "live=false")
    assert "aws cloudformation delete-stack --stack-name CaloLive" in told
    assert set(clean.stacks()) == {"CaloJobs", "CaloLive", "CaloApi", "CaloWeb", "CaloOps"}
