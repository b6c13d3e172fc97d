"""Time to import and set up each handler, compared with creating only its boto3 clients.

The authorizer has no clients, and is compared with importing the library that verifies tokens.

This is the part of a cold start that our code determines. Each time is measured in a new process; the two
processes of a pair run one after the other.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from infra.deployed_kinds import kinds_of
from infra.settings import Settings
from infra.tools.bundle import Bundles, target_of
from local.deployment import ROOT

PAIRS = 15
KINDS = ("photo", "countdown")
SETTINGS = {
    "AUTH": "none",
    "OIDC_ISSUER": "https://issuer.example",
    "OIDC_AUDIENCE": "calo",
    "POWERTOOLS_METRICS_NAMESPACE": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "JOBS_TABLE": "jobs",
    "LEDGER_TABLE": "ledger",
    "KINDS": json.dumps({name: {"module": f"kinds.{name}", "queue": "http://localhost/x"} for name in KINDS}),
    "QUEUES": json.dumps(dict.fromkeys(KINDS, "http://localhost/x")),
    "KIND_MODULE": "kinds.photo",
    "KIND_TIMEOUT": "60",
    "BUDGETS": '{"unsplash": {"limit": 50, "seconds": 3600, "share": 25}}',
    "SECRETS": '{"unsplash_access_key": "secret"}',
    "QUEUE_URL": "http://localhost/jobs",
    "RESULTS_QUEUE_URL": "http://localhost/results",
    "DEAD_LETTER_QUEUE_URL": "http://localhost/dead",
    "FILES_BUCKET": "images",
    "FILES_BASE_URL": "https://images.example",
    "CALLER_SALT": "salt",
    "RETRY_SECONDS": "10",
    "MAX_RECEIVES": "5",
    "GRACE_SECONDS": "900",
    "WEBHOOKS": "true",
    "WEBHOOKS_QUEUE_URL": "q",
    "WEBHOOK_KEY": "key",
    "WEBHOOK_PRIVATE_HOSTS": "",
}
HANDLERS = {
    "create_job": ("create_job", "dynamodb sqs"),
    "read_jobs": ("reader", "dynamodb"),
    "change_job": ("changer", "dynamodb sqs"),
    "job_worker": ("worker", "dynamodb sqs secretsmanager s3"),
    "result_worker": ("store", "dynamodb"),
    "dlq_worker": ("dependencies", "dynamodb"),
    "job_counter": ("counter", "dynamodb"),
    "job_watchdog": ("watchdog", "dynamodb sqs"),
    "webhook_sender": ("sender", "dynamodb sqs secretsmanager"),
    "webhooks": ("webhooks", "dynamodb sqs secretsmanager"),
    "schedules": ("schedules", "dynamodb"),
    "authorizer": ("verifier", ""),
}


def measure() -> None:
    """Print a table: medians in ms, and the median of the ratios of the pairs."""
    print(f"\nImport and set-up of each handler, {PAIRS} pairs (ms)\n")
    print(f"{'':16}{'library alone':>14}{'handler':>10}{'ratio':>8}")
    for name, (factory, services) in HANDLERS.items():
        clients = [f"boto3.client({service!r})" for service in services.split()]
        baseline = "; ".join(["import boto3", *clients] if clients else ["import jwt"])
        handler = f"from functions.{name}.handler import {factory}; {factory}()"
        pairs = [(_time(baseline), _time(handler)) for _ in range(PAIRS + 1)][1:]
        ratio = median(ours / alone for alone, ours in pairs)
        alone, ours = (median(times) for times in zip(*pairs, strict=True))
        print(f"{name:16}{alone:14.0f}{ours:10.0f}{ratio:8.2f}")

    _measure_bytecode()


def _measure_bytecode() -> None:
    """Print how much longer a start takes from a bundle without bytecode, in a read-only folder."""
    factory, _ = HANDLERS["create_job"]
    code = f"from functions.create_job.handler import {factory}; {factory}()"
    bundles = Bundles(kinds_of(Settings()).declarations, target_of("local"))
    with tempfile.TemporaryDirectory() as folder:
        plain, compiled = Path(folder) / "plain", Path(folder) / "compiled"
        for copy in (plain, compiled):
            shutil.copytree(bundles.build()[0], copy, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(compiled)], check=True)
        pairs = [(_time(code, compiled, "-B"), _time(code, plain, "-B")) for _ in range(PAIRS + 1)][1:]
    difference = median(without - with_bytecode for with_bytecode, without in pairs)
    print(f"\ncreate_job from the bundle takes {difference:.0f} ms longer without bytecode")


def _time(code: str, folder: Path = ROOT, *options: str) -> float:
    """Return the milliseconds that a new interpreter needs for the code, without its own start."""
    timed = f"import time; begin = time.perf_counter(); {code}; print(time.perf_counter() - begin)"
    environment = {"PATH": os.environ["PATH"], **SETTINGS}
    command = [sys.executable, *options, "-c", timed]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return 1000 * float(done.stdout)
