"""A client generated from the OpenAPI document works against the deployed system."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest

from tests.integration.conftest import Calo

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "functions" / "read_jobs" / "openapi.json"
BIN = Path(sys.executable).parent
PACKAGE = "generated_calo_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("generated")
    command = [str(BIN / "openapi-python-client"), "generate", "--path", str(OPENAPI), "--meta", "none"]
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
def test_a_generated_client_can_make_the_calls(calo: Calo) -> None:
    models = generated_module("models")
    names = ("create_job", "get_job", "list_jobs", "get_stats", "cancel_job")
    calls = {name: generated_module(f"api.default.{name}").sync for name in names}
    url = f"{calo.system.url}/api"
    with generated_module("client").Client(base_url=url, raise_on_unexpected_status=True) as client:
        created = calls["create_job"](client=client, body=models.JobRequest(query="pasta", delay_seconds=900))
        assert (created.status, created.query, type(created.id)) == ("pending", "pasta", UUID)
        assert calls["get_job"](created.id, client=client) == created
        assert calls["list_jobs"](client=client).data[0].id == created.id
        assert calls["get_stats"](client=client).counts.pending >= 1
        cancelled = calls["cancel_job"](created.id, client=client)
        assert (cancelled.status, cancelled.version) == ("cancelled", 2)

        resolved = calls["create_job"](client=client, body=models.JobRequest(query="pasta"))
        with calo.live(job=str(resolved.id)) as live:
            live.wait_for_end(str(resolved.id))
        job = calls["get_job"](resolved.id, client=client)
    assert job.photo.photographer.name
    assert job.result == job.photo.regular
