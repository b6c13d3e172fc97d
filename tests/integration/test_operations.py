"""`make logs` and `make redrive` on the deployed whole."""

import re
from pathlib import Path

import pytest

from operations.__main__ import main
from tests.integration.conftest import HOPELESS, Calo, eventually


def operate(calo: Calo, *arguments: str) -> int:
    """A command, as from a shell in the project's folder."""
    root: Path = calo.system.folder.parents[1]
    return main([*arguments, "--where", "local", "--port", str(calo.system.port)], root)


def test_the_story_of_a_job_reaches_from_the_api_to_the_relay(
    calo: Calo, capsys: pytest.CaptureFixture[str]
) -> None:
    with calo.live() as live:
        job = live.ended(calo.create("pasta", delay_seconds=4)["id"])

    wanted = [
        r"create_job +job accepted query=pasta version=1",
        r"create_job +request answered method=POST path=/jobs status=201",
        r"job_worker +job succeeded attempt=1 version=1",
        r"result_worker +result recorded outcome=changed status=resolved version=2",
        r"sse_relay +changes received status=pending version=1",
        r"sse_relay +changes received status=resolved version=2",
    ]

    def told() -> tuple[list[int], str] | None:
        """Where in the story each wanted line is, and the last line, once all are there: logs come late."""
        assert operate(calo, "logs", job["id"]) == 0
        *lines, now = capsys.readouterr().out.splitlines()
        lines = [re.sub(r"^\S+ \S+ +", "", line) for line in lines]
        found = [next((i for i, line in enumerate(lines) if re.fullmatch(one, line)), -1) for one in wanted]
        return None if -1 in found else (found, now)

    found, now = eventually(told)
    assert found[:4] == sorted(found[:4])
    assert re.fullmatch(rf"now: resolved query=pasta version=2 .*result={re.escape(job['result'])}", now)


def test_a_job_that_is_not_there_has_no_story(
    calo: Calo, unknown_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operate(calo, "logs", unknown_id) == 1
    assert "there is no job" in capsys.readouterr().err


def test_failed_jobs_are_counted_and_tried_again(calo: Calo, capsys: pytest.CaptureFixture[str]) -> None:
    with calo.live() as live:
        job = live.ended(calo.create(HOPELESS)["id"])
        assert operate(calo, "redrive", "--code", "no_photos", "--dry-run") == 0
        assert "retried" not in capsys.readouterr().out
        assert calo.get(f"jobs/{job['id']}").json() == job
        assert operate(calo, "redrive", "--code", "no_photos", "--rate", "1000") == 0
        printed = capsys.readouterr().out
        again = live.ended(job["id"])
    assert (again["status"], again["version"]) == ("error", job["version"] + 2)
    assert re.search(r"no_photos +[1-9]", printed)
    assert re.search(r"retried: [1-9]", printed)
