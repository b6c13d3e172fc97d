"""A client generated from the OpenAPI document works against the deployed system."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.common.job import Job
from infra.kinds import read_kinds
from infra.tools.contract import openapi
from tests.integration.conftest import Calo
from tests.unit.odd_kind import ODD

BIN = Path(sys.executable).parent
PACKAGE = "generated_calo_client"
KINDS = {**{name: declaration.kind for name, declaration in read_kinds().items()}, "odd": ODD}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(json.dumps(openapi(KINDS)))
    command = [str(BIN / "openapi-python-client"), "generate", "--path", str(document), "--meta", "none"]
    done = subprocess.run(
        [*command, "--output-path", str(folder / PACKAGE)],
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},  # it formats with ruff
        capture_output=True,
        text=True,
        timeout=60,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "warning" not in output.lower(), output
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def generated_module(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.mark.usefixtures("generated")
@pytest.mark.parametrize(
    ("kind", "job_input", "model"),
    [
        ("photo", {"query": "tea"}, "PhotoJob"),
        ("countdown", {"seconds": 5}, "CountdownJob"),
        ("odd", {"shape": {"type": "Circle", "radius": 1.5}, "color": "red"}, "OddJob"),
        ("removed", {"anything": [1, {}]}, "OtherJob"),
        ("odd", {"a": "field of an earlier declaration"}, "OtherJob"),
    ],
)
def test_a_generated_client_reads_jobs_of_any_kind(kind: str, job_input: dict[str, Any], model: str) -> None:
    job = Job(id=str(uuid4()), kind=kind, input=job_input, created_at=1, updated_at=1).public_view()
    page = {"total": 1, "page": 1, "pageSize": 20, "totalPages": 1, "next_cursor": None, "live_cursor": "1"}
    parsed = generated_module("models").JobPage.from_dict({**page, "data": [job]}).data[0]
    assert type(parsed).__name__ == model
    assert parsed.to_dict() == job


@pytest.mark.usefixtures("generated")
def test_a_generated_client_can_make_the_calls(calo: Calo) -> None:
    models = generated_module("models")
    names = ("create_job", "get_job", "list_jobs", "get_stats", "cancel_job")
    calls = {name: generated_module(f"api.default.{name}").sync for name in names}
    url = f"{calo.system.url}/api"
    with generated_module("client").Client(base_url=url, raise_on_unexpected_status=True) as client:
        created = calls["create_job"](
            client=client, body=models.PhotoJobRequest(query="pasta", delay_seconds=900)
        )
        assert (created.status, created.query, type(created.id)) == ("pending", "pasta", UUID)
        assert calls["get_job"](created.id, client=client) == created
        assert calls["list_jobs"](client=client).data[0].id == created.id
        assert calls["get_stats"](client=client).counts.pending >= 1
        cancelled = calls["cancel_job"](created.id, client=client)
        assert (cancelled.status, cancelled.version) == ("cancelled", 2)

        resolved = calls["create_job"](client=client, body=models.PhotoJobRequest(query="pasta"))
        with calo.live(job=str(resolved.id)) as live:
            live.wait_for_end(str(resolved.id))
        job = calls["get_job"](resolved.id, client=client)
    assert job.photo.photographer.name
    assert job.result == job.photo.regular


@pytest.mark.usefixtures("generated")
def test_a_generated_client_can_create_jobs_of_other_kinds(calo: Calo) -> None:
    models = generated_module("models")
    calls = {name: generated_module(f"api.default.{name}").sync for name in ("create_job", "list_kinds")}
    with generated_module("client").Client(
        base_url=f"{calo.system.url}/api", raise_on_unexpected_status=True
    ) as client:
        kinds = {kind.name: kind for kind in calls["list_kinds"](client=client).data}
        assert kinds["countdown"].input_["properties"]["seconds"]["maximum"] == 600
        body = models.CountdownJobRequest(kind="countdown", input_=models.CountdownInput(seconds=1))
        created = calls["create_job"](client=client, body=body)
    assert isinstance(created, models.CountdownJob)
    assert (created.input_.seconds, created.output) == (1, None)
