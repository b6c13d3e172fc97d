"""`make deploy`, against the emulated account."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.deployment import ROOT
from tests.deployment.conftest import Account


@pytest.fixture
def empty_account(account: Account) -> Iterator[Account]:
    """Yield the account without our stacks, and delete them at the end."""
    assert account.stacks() == {}
    try:
        yield account
    finally:
        account.destroy()
    assert account.stacks() == {}


def make_deploy(account: Account, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "infra.tools.deploy", "--require-approval", "never", *arguments],
        cwd=ROOT,
        # the emulator claims to have every image, so no image is built
        env={**account.emulator.environment, "CDK_DOCKER": "/bin/true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_deployment_is_checked_and_prints_the_next_steps_and_remaining_stacks(
    empty_account: Account,
) -> None:
    output = make_deploy(empty_account)
    assert "ok    CDK bootstrap: version" in output
    assert not re.search("^stop", output, re.MULTILINE)
    assert "The web app is at https://" in output
    assert "/live\n" in output
    assert "delete-stack" not in output

    output = make_deploy(empty_account, "-c", "live=false")
    assert set(empty_account.stacks()) == {"CaloJobs", "CaloLive", "CaloApi", "CaloWeb", "CaloOps"}
    assert re.findall(r"^  aws cloudformation (.*)$", output, re.MULTILINE) == [
        "delete-stack --stack-name CaloLive",
        "wait stack-delete-complete --stack-name CaloLive",
    ]
