"""Deploy all five stacks to an emulator with the real `cdk` command, from the same templates as for AWS.

MiniStack lacks some resource types; tests/deployment/emulator.py adds stand-ins for them. So these tests
verify the wiring: names, parameters and references refer to existing resources. They do not verify that AWS
accepts the templates.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment import Deployment
from local.emulator import MINISTACK, Emulator, ministack_environment
from local.processes import Process, free_ports
from tests.deployment.account import ALL, Account, make_deploy

STARTER = Path(__file__).with_name("emulator.py")


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    (port,) = free_ports(1)
    emulator = Emulator(f"http://127.0.0.1:{port}")
    record = folder / "record.jsonl"
    environment = {**ministack_environment(port, folder), "RECORD": str(record)}
    command = [str(MINISTACK.with_name("python")), str(STARTER)]
    process = Process("the emulator", command, environment, folder / "emulator.log", folder)
    try:
        process.wait_ready(f"{emulator.endpoint}/_ministack/health")
        Deployment(emulator, folder).bootstrap()
        yield Account(emulator, folder, record)
    finally:
        process.kill()


@pytest.fixture(scope="session")
def first_output(account: Account) -> Iterator[str]:
    """Create all stacks with `make deploy`, yield what it printed, and delete the stacks at the end."""
    output = make_deploy(account)
    assert account.stacks() == dict.fromkeys(ALL, "CREATE_COMPLETE")
    yield output
    account.destroy()
    assert account.stacks() == {}


@pytest.fixture
def deployed(account: Account, first_output: str) -> Account:
    """Return the account with all stacks and the default settings. A test may change it if it restores it."""
    return account
