"""The `calo` command: which deployment it operates on, and its error messages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from moto import mock_aws

from calo.__main__ import main
from calo.deployment import find_deployment
from calo.errors import CommandError
from calo.local_run import local_runs
from local.emulator import Emulator
from local.run_file import announced, run_folder

EMULATOR = Emulator("http://127.0.0.1:2", "a", "b", "eu-west-1")
JOB_ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.chdir(tmp_path)


def make_run_folder(root: Path, port: int) -> Path:
    folder = run_folder(root, port)
    folder.mkdir(parents=True)
    return folder


def test_a_local_run_is_found_while_it_is_up_from_any_folder_of_the_checkout(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path, 8080)
    below = tmp_path / "docs"
    below.mkdir()
    with announced(folder, "http://localhost:8080", EMULATOR):
        (run,) = local_runs(below)
        assert (run.port, run.url, run.folder) == (8080, "http://localhost:8080", folder)
        assert (folder / "run.json").stat().st_mode & 0o077 == 0
        client = run.client("sqs")
        assert (client.meta.endpoint_url, client.meta.region_name) == (EMULATOR.endpoint, "eu-west-1")
    assert local_runs(below) == []


def test_a_run_that_was_killed_is_not_found(tmp_path: Path) -> None:
    child = os.spawnvp(os.P_NOWAIT, "true", ["true"])
    os.waitpid(child, 0)
    state = {"pid": child, "url": "u", "emulator": {"endpoint": "e"}}
    (make_run_folder(tmp_path, 8080) / "run.json").write_text(json.dumps(state))
    assert local_runs(tmp_path) == []


def test_the_local_run_is_the_default_and_changes_in_aws_need_the_option(tmp_path: Path) -> None:
    with announced(make_run_folder(tmp_path, 8080), "http://localhost:8080", EMULATOR):
        for where in (None, "local"):
            assert find_deployment(where, None, changes=True).api_url() == "http://localhost:8080/api"
        with mock_aws():
            assert find_deployment("aws", None, changes=True).name.startswith("AWS account")
    with mock_aws():
        assert find_deployment(None, None, changes=False).name == "AWS account 123456789012, us-east-1"
    with pytest.raises(CommandError, match="make run"):
        find_deployment("local", None, changes=False)
    with pytest.raises(CommandError, match="--where aws"):
        find_deployment(None, None, changes=True)


def test_one_of_several_local_runs_is_chosen_by_its_port(tmp_path: Path) -> None:
    with (
        announced(make_run_folder(tmp_path, 8080), "http://localhost:8080", EMULATOR),
        announced(make_run_folder(tmp_path, 8090), "http://localhost:8090", EMULATOR),
    ):
        assert find_deployment(None, 8090, changes=True).name == "local run at http://localhost:8090"
        with pytest.raises(CommandError, match="--port: 8080, 8090"):
            find_deployment(None, None, changes=False)
        with pytest.raises(
            CommandError, match="no local run is up on port 1; ports of local runs: 8080, 8090"
        ):
            find_deployment(None, 1, changes=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["logs", "12"],
        ["redrive", "--limit", "0"],
        ["redrive", "--rate", "x"],
        ["logs", JOB_ID, "--port", "80x"],
    ],
)
def test_an_invalid_argument_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "profile", "message"),
    [
        (["redrive"], None, "add: --where aws"),
        (["logs", JOB_ID], "doesnotexist", "doesnotexist"),
        (["redrive", "--where", "aws"], "doesnotexist", "doesnotexist"),
    ],
)
def test_a_command_that_cannot_be_carried_out_prints_one_line(
    arguments: list[str],
    profile: str | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_without_boto3_the_message_names_the_extra(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['botocore.exceptions'] = None\n"
        "from calo.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "logs", JOB_ID],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "client")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (2, "calo: this needs boto3; run: pip install 'calo[aws]'\n")
