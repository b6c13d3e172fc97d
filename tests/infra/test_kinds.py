"""What a deployment creates for each kind: a queue, a worker and permissions, from its declaration alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.conftest import synth_stacks
from tests.declarations import declare
from tests.infra.test_jobs_stack import named, resources, statements

Templates = dict[str, Template]

SMALL = "secrets=('vision_key', 'other_key'), stores_files=True"
BIG = (
    "batch=50, timeout=880, memory=3008, concurrency=7, retry_seconds=30,"
    " budgets=(Budget('vision', limit=5, seconds=10), Budget('unsplash', limit=50, seconds=3600))"
)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Synthesize with two kinds more."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "resize_image.py").write_text(declare("resize_image", SMALL))
    (folder / "big.py").write_text(declare("big", BIG))
    return synth_stacks(kinds_folders=str(folder))


def worker(template: Template, name: str) -> dict[str, Any]:
    return named(template, "AWS::Lambda::Function", f"JobWorker{name}")


def variables(template: Template, name: str) -> dict[str, Any]:
    return dict(worker(template, name)["Environment"]["Variables"])


def logical_id(template: Template, kind: str, name_part: str) -> str:
    (name,) = [name for name in template.find_resources(kind) if name_part in name]
    return name


def test_a_kind_has_its_own_queue_and_worker_with_the_declared_limits(extended: Templates) -> None:
    jobs = extended["CaloJobs"]
    expected = {
        # name: timeout, memory, visibility, batch, window, concurrency
        "Photo": (70, 512, 360, 10, None, 10),
        "Countdown": (670, 256, 3960, 1, None, 10),
        "ResizeImage": (70, 512, 360, 1, None, 10),
        "Big": (890, 3008, 5280, 50, 1, 7),
    }
    for name, limits in expected.items():
        function = worker(jobs, name)
        queue = named(jobs, "AWS::SQS::Queue", f"QueuesJobs{name}")
        source = named(jobs, "AWS::Lambda::EventSourceMapping", f"JobWorker{name}")
        actual = (
            function["Timeout"],
            function["MemorySize"],
            queue["VisibilityTimeout"],
            source["BatchSize"],
            source.get("MaximumBatchingWindowInSeconds"),
            source["ScalingConfig"]["MaximumConcurrency"],
        )
        assert actual == limits, name
        assert function["Handler"] == "functions.job_worker.handler.handler"
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        (own_queue,) = [source["EventSourceArn"]["Fn::GetAtt"][0]]
        assert own_queue == logical_id(jobs, "AWS::SQS::Queue", f"QueuesJobs{name}")
        assert queue["RedrivePolicy"] == named(jobs, "AWS::SQS::Queue", "QueuesResults")["RedrivePolicy"]


def test_the_shortest_timeout_leaves_the_message_invisible_for_longer_than_the_function(
    tmp_path: Path,
) -> None:
    (tmp_path / "quick.py").write_text(declare("quick", "timeout=1"))
    jobs = synth_stacks(live="false", web="false", ops="false", kinds_folders=str(tmp_path))["CaloJobs"]
    assert worker(jobs, "Quick")["Timeout"] == 11
    assert named(jobs, "AWS::SQS::Queue", "QueuesJobsQuick")["VisibilityTimeout"] == 30


def test_a_workers_environment_comes_from_its_declaration(extended: Templates) -> None:
    jobs = extended["CaloJobs"]
    big, resize = variables(jobs, "Big"), variables(jobs, "ResizeImage")
    assert (big["KIND_MODULE"], big["KIND_TIMEOUT"], big["RETRY_SECONDS"]) == ("kinds.big", "880", "30")
    assert json.loads(big["BUDGETS"]) == {
        "vision": {"limit": 5, "seconds": 10, "share": 2},
        "unsplash": {"limit": 50, "seconds": 3600, "share": 25},
    }
    assert json.loads(resize["BUDGETS"]) == {}
    assert big["QUEUE_URL"] == {"Ref": logical_id(jobs, "AWS::SQS::Queue", "QueuesJobsBig")}
    assert json.loads(big["SECRETS"]) == {}
    secrets = json.loads(join(resize["SECRETS"]))
    assert list(secrets) == ["vision_key", "other_key"]
    assert "VisionKey" in secrets["vision_key"]
    assert "FILES_BUCKET" in resize
    assert "FILES_BUCKET" not in big


def test_the_first_value_of_a_secret_never_changes(extended: Templates) -> None:
    """Otherwise the next deployment would overwrite the keys that operators have put there."""
    secrets = resources(extended["CaloJobs"], "AWS::SecretsManager::Secret").values()
    assert {secret["SecretString"] for secret in secrets if "SecretString" in secret} == {
        "put-the-access-key-here"
    }


def join(value: Any) -> str:
    """Return the text of a value, with references and attributes as their names in angle brackets."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(map(join, argument[1]))
    return f"<{'.'.join(argument) if isinstance(argument, list) else argument}>"


def allowed(template: Template, name: str) -> dict[str, set[str]]:
    """Return which resources each action of a worker's own policy is allowed on."""
    allowances: dict[str, set[str]] = {}
    for statement in statements(template, f"JobWorker{name}ServiceRole"):
        actions, targets = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            targets = targets if isinstance(targets, list) else [targets]
            allowances.setdefault(action, set()).update(map(join, targets))
    return allowances


@pytest.mark.parametrize(
    ("name", "secrets", "prefix"),
    [
        ("Photo", {"UnsplashAccessKey"}, "/images/photo/*"),
        ("Countdown", set(), None),
        ("ResizeImage", {"VisionKey", "OtherKey"}, "/images/resize_image/*"),
        ("Big", set(), None),
    ],
)
def test_a_worker_may_do_what_its_declaration_says_and_nothing_to_other_kinds(
    extended: Templates, name: str, secrets: set[str], prefix: str | None
) -> None:
    jobs = extended["CaloJobs"]
    allowances = allowed(jobs, name)
    own, results, dead_letters = (
        f"<{logical_id(jobs, 'AWS::SQS::Queue', part)}.Arn>"
        for part in (f"QueuesJobs{name}", "QueuesResults", "QueuesDeadLetters")
    )
    assert allowances.pop("sqs:SendMessage") == {own, results, dead_letters}
    for action in ("ChangeMessageVisibility", "ReceiveMessage", "DeleteMessage"):
        assert allowances.pop(f"sqs:{action}") == {own}
    assert allowances.pop("sqs:GetQueueUrl") == allowances.pop("sqs:GetQueueAttributes") == {own}
    readable = allowances.pop("secretsmanager:GetSecretValue", set())
    assert readable == {f"<{logical_id(jobs, 'AWS::SecretsManager::Secret', part)}>" for part in secrets}
    writable = allowances.pop("s3:PutObject", set())
    bucket = logical_id(jobs, "AWS::S3::Bucket", "ImagesBucket")
    assert writable == ({f"<{bucket}.Arn>{prefix}"} if prefix else set())
    table, ledger = (
        f"<{logical_id(jobs, 'AWS::DynamoDB::GlobalTable', part)}.Arn>"
        for part in ("TablesJobs", "TablesLedger")
    )
    assert allowances.pop("dynamodb:BatchGetItem") == {table}
    assert allowances.pop("dynamodb:UpdateItem") == {table, ledger}
    assert allowances.pop("dynamodb:GetItem") == {ledger}
    assert set(allowances) == {
        "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Photo", ["budget#unsplash", "kind#photo#*"]),
        ("Countdown", ["kind#countdown#*"]),
        ("Big", ["budget#vision", "budget#unsplash", "kind#big#*"]),
    ],
)
def test_a_worker_has_only_its_own_items_of_the_ledger(
    extended: Templates, name: str, keys: list[str]
) -> None:
    jobs = extended["CaloJobs"]
    ledger = logical_id(jobs, "AWS::DynamoDB::GlobalTable", "TablesLedger")
    found = [
        statement
        for statement in statements(jobs, f"JobWorker{name}ServiceRole")
        if statement["Resource"] == {"Fn::GetAtt": [ledger, "Arn"]}
    ]
    assert [statement["Condition"] for statement in found] == [
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
    ]


@pytest.mark.parametrize(
    ("stack", "function"), [("CaloApi", "CreateJob"), ("CaloApi", "ChangeJob"), ("CaloJobs", "JobWatchdog")]
)
def test_functions_that_start_work_know_every_kind(extended: Templates, stack: str, function: str) -> None:
    template = extended[stack]
    environment = named(template, "AWS::Lambda::Function", function)["Environment"]["Variables"]
    kinds = json.loads(join(environment["KINDS"]))
    assert {name: kind["module"] for name, kind in kinds.items()} == {
        name: f"kinds.{name}" for name in ("big", "countdown", "photo", "resize_image")
    }
    assert len({kind["queue"] for kind in kinds.values()}) == 4
    (sending,) = [
        statement
        for statement in statements(template, f"{function}ServiceRole")
        if statement["Action"] == "sqs:SendMessage"
    ]
    assert len(sending["Resource"]) == 4


def test_the_api_shows_every_budget(extended: Templates) -> None:
    environment = named(extended["CaloApi"], "AWS::Lambda::Function", "ReadJobs")["Environment"]["Variables"]
    assert json.loads(environment["BUDGETS"]) == {
        "unsplash": {"limit": 50, "seconds": 3600, "share": 25},
        "vision": {"limit": 5, "seconds": 10, "share": 2},
    }


def test_a_kind_has_alarms_and_a_row_of_the_dashboard(extended: Templates) -> None:
    ops = extended["CaloOps"]
    alarms = resources(ops, "AWS::CloudWatch::Alarm")
    descriptions = [alarm["AlarmDescription"] for alarm in alarms.values()]
    for text in (
        "Jobs of kind big wait longer than expected.",
        "JobWorkerBig raises errors.",
        "Lambda throttles JobWorkerBig.",
        "The budget vision has been exhausted for an hour, and jobs wait.",
    ):
        assert len([each for each in descriptions if each.startswith(text)]) == 1, text
    thresholds = {
        match[1]: alarm["Threshold"]
        for alarm in alarms.values()
        if (match := re.match("Jobs of kind (.*) wait", alarm["AlarmDescription"]))
    }
    # a message is this old if a worker has crashed once, which an alarm for its errors reports
    assert thresholds == {"photo": 1800, "resize_image": 1800, "countdown": 7920, "big": 10560}
    (board,) = resources(ops, "AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["DashboardBody"])
    for kind in ("photo", "countdown", "big", "resize_image"):
        for graph in ("messages waiting", "batches, errors", "time of a batch"):
            assert f"{kind}: {graph}" in body


def test_a_kind_changes_no_resource_of_the_others(extended: Templates, templates: Templates) -> None:
    """Only what names all kinds or contains the code changes."""
    with_state = ("AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping", "AWS::SecretsManager::Secret")
    before, after = templates["CaloJobs"], extended["CaloJobs"]
    for kind in with_state:
        existing = resources(before, kind)
        assert existing == {name: resources(after, kind)[name] for name in existing}
    for name in ("Photo", "Countdown"):
        assert allowed(before, name) == allowed(after, name)
        function, own = worker(before, name), worker(after, name)
        assert {**function, "Code": None} == {**own, "Code": None}


def test_hotlinked_photos_leave_other_kinds_their_files(tmp_path: Path) -> None:
    (tmp_path / "thumb.py").write_text(declare("thumb", "stores_files=True"))
    stacks = synth_stacks(live="false", images="hotlink", kinds_folders=str(tmp_path))
    jobs = stacks["CaloJobs"]
    assert "s3:PutObject" not in allowed(jobs, "Photo")
    assert "FILES_BUCKET" not in variables(jobs, "Photo")
    assert allowed(jobs, "Thumb")["s3:PutObject"]
    assert {"ImagesBucket", "ImagesBaseUrl"} <= set(jobs.to_json()["Outputs"])
    policy = json.dumps(stacks["CaloWeb"].find_resources("AWS::CloudFront::ResponseHeadersPolicy"))
    assert "https://images.unsplash.com" in policy
    assert "imagesbaseurl" in policy  # the parameter


def test_settings_reach_the_templates() -> None:
    environment = {"UNSPLASH_API_URL": "http://localhost:1", "IMAGE_HOSTS": "localhost:1"}
    jobs = synth_stacks(
        live="false",
        **{
            "budget.unsplash": "12/15",
            "kind.photo.timeout": "5",
            "kind.photo.memory": "1024",
            "kind.*.concurrency": "3",
            "kind.countdown.retry_seconds": "2",
            "kind.photo.environment": json.dumps(environment),
        },
    )["CaloJobs"]
    photo, countdown = variables(jobs, "Photo"), variables(jobs, "Countdown")
    assert json.loads(photo["BUDGETS"]) == {"unsplash": {"limit": 12, "seconds": 15, "share": 6}}
    assert (photo["KIND_TIMEOUT"], worker(jobs, "Photo")["Timeout"]) == ("5", 15)
    assert worker(jobs, "Photo")["MemorySize"] == 1024
    assert (photo["RETRY_SECONDS"], countdown["RETRY_SECONDS"]) == ("10", "2")
    assert environment.items() <= photo.items()
    assert not environment.keys() & countdown.keys()
    for name in ("Photo", "Countdown"):
        source = named(jobs, "AWS::Lambda::EventSourceMapping", f"JobWorker{name}")
        assert source["ScalingConfig"] == {"MaximumConcurrency": 3}
