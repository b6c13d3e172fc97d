"""The Python client and the `calo` command on the deployed system, also through bad proxies."""

import asyncio
import json
import subprocess
import sys
from itertools import pairwise

import pytest

from calo import Calo as Client
from calo import Change, follow
from tests.integration.bad_proxy import BadProxy, Treatment
from tests.integration.conftest import TOPIC_WITHOUT_PHOTOS, Calo


def check(changes: list[Change]) -> None:
    assert [change.version for change in changes] == sorted({change.version for change in changes})
    assert changes[0].status == "pending"
    assert (changes[-1].status, changes[-1].output) == ("resolved", {"seconds": 2})


def test_a_job_is_followed_live(calo: Calo) -> None:
    async def main() -> list[Change]:
        async with Client(calo.system.url, timeout=60) as client:
            job = await client.run("countdown", seconds=2)
            return [change async for change in job]

    changes = asyncio.run(main())
    check(changes)
    assert any(change.progress and change.progress["message"] for change in changes)
    assert all(later.version > earlier.version for earlier, later in pairwise(changes))


@pytest.mark.parametrize("treatment", ["cut", "delay", "buffer"])
def test_a_job_is_followed_through_a_bad_proxy(
    calo: Calo, treatment: Treatment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 0.5)
    proxy = BadProxy(calo.system.url)
    with proxy.serve() as url, Client(url, timeout=60) as client:
        job = client.run("countdown", seconds=2)
        if treatment == "cut":
            proxy.treatments += [treatment] * 4
        else:
            proxy.always = treatment
        changes = list(job)
    check(changes)
    assert proxy.connections >= (4 if treatment == "cut" else 2)


def command(url: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "calo", *arguments],
        env={"CALO_URL": url, "PATH": ""}, input=stdin, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_run_prints_only_the_job_as_json(calo: Calo) -> None:
    done = command(calo.system.url, "run", "countdown", "seconds=1", "--json")
    job = json.loads(done.stdout)
    assert (done.returncode, job["status"], job["output"]) == (0, "resolved", {"seconds": 1})
    assert "1 s left" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run", "photo", f"query={TOPIC_WITHOUT_PHOTOS}"), 1, "failed: no_photos:"),
        (("run", "countdown", "seconds=x"), 2, "calo: input.seconds: must be a whole number"),
        (("run", "countdown", "minutes=1"), 2, "calo: input.minutes: is not a field"),
        (("run", "cooking"), 2, "calo: kind: must be one of"),
        (("run", "countdown", "seconds=5", "--timeout", "1"), 1, "has not ended after 1 s"),
        (("show", "00000000-0000-4000-8000-000000000000"), 2, "calo: there is no job"),
        (("jobs", "--status", "none"), 2, "invalid choice: 'none'"),
    ],
)
def test_the_exit_status_says_what_happened(
    calo: Calo, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = command(calo.system.url, *arguments)
    assert (done.returncode, message in done.stderr, done.stdout) == (status, True, ""), done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_api_has_its_own_status() -> None:
    done = command("http://127.0.0.1:1", "run", "countdown")
    assert (done.returncode, "cannot be reached" in done.stderr) == (3, True)


def test_jobs_are_created_detached_listed_cancelled_and_retried(calo: Calo) -> None:
    url = calo.system.url
    job_id = command(url, "run", "countdown", "seconds=600", "--delay", "10m", "--detach").stdout.strip()
    listed = command(url, "jobs", "--kind", "countdown", "--status", "pending", "--limit", "1").stdout
    assert job_id in listed
    assert command(url, "cancel", job_id).returncode == 0
    assert command(url, "cancel", job_id).returncode == 2
    assert json.loads(command(url, "retry", job_id, "--json").stdout)["status"] == "pending"
    assert command(url, "cancel", job_id).returncode == 0
    assert json.loads(command(url, "show", job_id, "--json").stdout)["status"] == "cancelled"
    assert command(url, "watch", job_id).returncode == 1


def test_jobs_of_a_file_are_created_once(calo: Calo) -> None:
    url = calo.system.url
    lines = [{"kind": "countdown", "input": {"seconds": 1}, "delay_seconds": 600} for _ in range(120)]
    lines[3] = {"kind": "countdown", "input": {"seconds": "x"}}
    text = "\n".join(json.dumps(line) for line in lines)
    runs = [command(url, "bulk", "-", "--json", "--run", "test", stdin=text) for _ in range(2)]
    ids = [[json.loads(line)["id"] for line in done.stdout.splitlines()] for done in runs]
    assert len(set(ids[0])) == 119
    assert ids[0] == ids[1]
    for done in runs:
        assert done.returncode == 1
        assert "line 4: input.seconds: must be a whole number" in done.stderr
    while calo.http.post("jobs/cancel", json={"kind": "countdown"}).json()["more"]:
        pass
    assert command(url, "bulk", "-", stdin="{}\n{").returncode == 2


def test_schedules_are_added_paused_and_deleted(calo: Calo) -> None:
    url = calo.system.url
    arguments = ("schedules", "--json", "add", "countdown", "seconds=1", "--cron", "0 9 * * 1")
    (added,) = json.loads(command(url, *arguments, "--timezone", "Europe/Berlin").stdout)
    assert (added["input"], len(added["next"])) == ({"seconds": 1}, 10)
    assert "\tpaused" in command(url, "schedules", "pause", added["id"]).stdout
    assert "\tpaused" not in command(url, "schedules", "resume", added["id"]).stdout
    assert added["id"] in command(url, "schedules").stdout
    assert command(url, "schedules", "delete", added["id"]).returncode == 0
    assert added["id"] not in command(url, "schedules").stdout
    refused = command(url, "schedules", "add", "countdown", "--cron", "never")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "cron" in refused.stderr
