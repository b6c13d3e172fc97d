"""What a function creates before its first event, in a separate process like in Lambda."""

import json
import os
import subprocess
import sys

CODE = """
import gc, json
import functions  # where it has no byte code yet, compiling it may already cost a scan
runs = lambda: [generation["collections"] for generation in gc.get_stats()]
before = runs()
from functions.dlq_worker import handler
made = handler.dependencies
print(json.dumps({"collected": runs() != before, "enabled": gc.isenabled(), "frozen": gc.get_freeze_count(),
                  "same": made() is made()}))
"""
IN_LAMBDA = {
    "PATH": os.environ["PATH"],
    "AWS_LAMBDA_FUNCTION_NAME": "DlqWorker",
    "AWS_DEFAULT_REGION": "us-east-1",
    "JOBS_TABLE": "jobs",
    "MAX_RECEIVES": "5",
}


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)


def test_in_lambda_clients_are_created_at_import_without_garbage_collection() -> None:
    started = json.loads(start(IN_LAMBDA).stdout)
    assert (started["collected"], started["enabled"], started["same"]) == (False, True, True)
    assert started["frozen"] > 10_000


def test_a_missing_setting_fails_the_start_and_is_named() -> None:
    started = start({**IN_LAMBDA, "MAX_RECEIVES": ""})
    assert started.returncode != 0
    assert "MAX_RECEIVES" in started.stderr.splitlines()[-1]
