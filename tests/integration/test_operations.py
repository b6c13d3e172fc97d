"""The `calo` command on the deployed system."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from calo.__main__ import main
from tests.integration.conftest import TOPIC_WITHOUT_PHOTOS, Calo, eventually


@pytest.fixture(autouse=True)
def in_checkout(calo: Calo) -> Iterator[None]:
    """Run in the folder that contains the system's `.local`, as in a checkout."""
    root: Path = calo.system.folder.parents[1]
    previous = Path.cwd()
    os.chdir(root)
    yield
    os.chdir(previous)


def run_command(calo: Calo, *arguments: str) -> int:
    return main([*arguments, "--where", "local", "--port", str(calo.system.port)])


def test_the_log_of_a_job_reaches_from_the_api_to_the_relay(
    calo: Calo, capsys: pytest.CaptureFixture[str]
) -> None:
    with calo.live() as live:
        job = live.wait_for_end(calo.create("pasta", delay_seconds=4)["id"])

    patterns = [
        r"create_job +job accepted kind=photo label=pasta version=1",
        r"create_job +request answered method=POST path=/jobs status=201",
        r"job_worker +job succeeded kind=photo attempt=1 version=1",
        r"result_worker +result recorded kind=photo outcome=changed status=resolved version=2",
        r"sse_relay +changes received status=pending version=1",
        r"sse_relay +changes received status=resolved version=2",
    ]

    def complete_log() -> tuple[list[int], str] | None:
        """Return the position of each pattern and the last line when all are logged, else None."""
        assert run_command(calo, "logs", job["id"]) == 0
        *lines, state = capsys.readouterr().out.splitlines()
        lines = [re.sub(r"^\S+ \S+ +", "", line) for line in lines]
        positions = [
            next((i for i, line in enumerate(lines) if re.fullmatch(pattern, line)), -1)
            for pattern in patterns
        ]
        return None if -1 in positions else (positions, state)

    positions, state = eventually(complete_log)
    assert positions[:4] == sorted(positions[:4])
    begin = re.escape('now: resolved kind=photo input={"query":"pasta"} version=2 ')
    assert re.fullmatch(rf"{begin}.*{re.escape(job['result'])}.*", state)


def test_the_log_of_an_unknown_job_is_an_error(
    calo: Calo, unknown_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(calo, "logs", unknown_id) == 1
    assert "the table has no job" in capsys.readouterr().err


def test_failed_jobs_are_counted_and_retried(calo: Calo, capsys: pytest.CaptureFixture[str]) -> None:
    with calo.live() as live:
        job = live.wait_for_end(calo.create(TOPIC_WITHOUT_PHOTOS)["id"])
        assert run_command(calo, "redrive", "--code", "no_photos", "--dry-run") == 0
        assert "retried" not in capsys.readouterr().out
        assert calo.get(f"jobs/{job['id']}").json() == job
        assert run_command(calo, "redrive", "--code", "no_photos", "--rate", "1000") == 0
        printed = capsys.readouterr().out
        retried = live.wait_for_end(job["id"])
    assert (retried["status"], retried["version"]) == ("error", job["version"] + 2)
    assert re.search(r"no_photos +[1-9]", printed)
    assert re.search(r"retried: [1-9]", printed)
