"""CaloJobs: the properties that the system's promises rest on."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from functions.job_worker.handler import MAX_PARALLEL_DOWNLOADS
from functions.job_worker.images import MAX_IMAGE
from infra.tools.bundle import RUNTIME
from tests.conftest import read


@pytest.fixture
def jobs(templates: dict[str, Template]) -> Template:
    return templates["CaloJobs"]


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id."""
    found = template.find_resources(kind)
    return {name: resource["Properties"] for name, resource in found.items()}


def named(template: Template, kind: str, part: str) -> dict[str, Any]:
    """Properties of the one resource whose logical id contains `part`."""
    found = [value for name, value in resources(template, kind).items() if part in name]
    assert len(found) == 1, f"{len(found)} {kind} with {part}"
    return found[0]


def function(template: Template, name: str) -> dict[str, Any]:
    handler = f"functions.{name}.handler.handler"
    found = [
        one for one in resources(template, "AWS::Lambda::Function").values() if one["Handler"] == handler
    ]
    assert len(found) == 1
    return found[0]


def test_the_jobs_table_streams_both_images_and_forgets_expired_jobs(jobs: Template) -> None:
    table = named(jobs, "AWS::DynamoDB::GlobalTable", "TablesJobs")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["Replicas"][0]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Replicas"][0]["DeletionProtectionEnabled"] is True


def test_the_indexes_hold_keys_only(jobs: Template) -> None:
    table = named(jobs, "AWS::DynamoDB::GlobalTable", "TablesJobs")
    keys = {
        index["IndexName"]: [part["AttributeName"] for part in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == {
        "by-created": ["list_shard", "created_key"],
        "by-status": ["status_shard", "created_key"],
        "by-updated": ["list_shard", "updated_at"],
        "by-due": ["list_shard", "due_at"],
    }
    projections = {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]}
    assert projections == {"KEYS_ONLY"}


@pytest.mark.parametrize("queue", ["QueuesJobs", "QueuesResults"])
def test_work_that_nobody_can_report_goes_to_the_dead_letters(jobs: Template, queue: str) -> None:
    redrive = named(jobs, "AWS::SQS::Queue", queue)["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 5
    assert "QueuesDeadLetters" in redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]


@pytest.mark.parametrize(
    ("worker", "queue"),
    [("job_worker", "QueuesJobs"), ("result_worker", "QueuesResults"), ("dlq_worker", "QueuesDeadLetters")],
)
def test_a_message_stays_hidden_while_it_is_worked_on(jobs: Template, worker: str, queue: str) -> None:
    timeout = function(jobs, worker)["Timeout"]
    assert named(jobs, "AWS::SQS::Queue", queue)["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize(
    ("part", "batch", "window"),
    [("JobWorker", 10, None), ("ResultWorker", 10, None), ("DlqWorker", 25, 1)],
)
def test_messages_fail_one_by_one(jobs: Template, part: str, batch: int, window: int | None) -> None:
    source = named(jobs, "AWS::Lambda::EventSourceMapping", part)
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == batch
    assert source.get("MaximumBatchingWindowInSeconds") == window
    assert source["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_the_counter_reads_the_stream_from_its_beginning_and_never_gives_up(jobs: Template) -> None:
    source = named(jobs, "AWS::Lambda::EventSourceMapping", "JobCounter")
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["MaximumRetryAttempts"] == -1
    assert source["BisectBatchOnFunctionError"] is True


def test_the_watchdog_looks_every_minute(jobs: Template) -> None:
    rule = named(jobs, "AWS::Events::Rule", "EveryMinute")
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    assert "JobWatchdog" in rule["Targets"][0]["Arn"]["Fn::GetAtt"][0]


def test_changes_go_from_the_stream_to_the_topic(jobs: Template) -> None:
    pipe = named(jobs, "AWS::Pipes::Pipe", "Pipe")
    stream = pipe["SourceParameters"]["DynamoDBStreamParameters"]
    assert "StreamArn" in pipe["Source"]["Fn::GetAtt"]
    assert "PublishingTopic" in pipe["Target"]["Ref"]
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert "PublishingUndelivered" in stream["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]


def test_functions_share_one_arm64_bundle(jobs: Template) -> None:
    own = [
        one
        for one in resources(jobs, "AWS::Lambda::Function").values()
        if one["Handler"].startswith("functions.")
    ]
    assert {tuple(one["Architectures"]) for one in own} == {("arm64",)}
    assert len({one["Code"]["S3Key"] for one in own}) == 1
    assert {one["Runtime"] for one in own} == {f"python{RUNTIME}"}  # of the byte code in it


def test_images_are_private_and_shown_through_the_distribution(jobs: Template) -> None:
    bucket = named(jobs, "AWS::S3::Bucket", "ImagesBucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    jobs.has_resource_properties(
        "AWS::CloudFront::Distribution",
        {
            "DistributionConfig": Match.object_like(
                {
                    "DefaultCacheBehavior": Match.object_like({"ViewerProtocolPolicy": "redirect-to-https"}),
                    "Origins": [Match.object_like({"OriginAccessControlId": Match.any_value()})],
                }
            )
        },
    )


def test_data_outlives_the_stack(jobs: Template) -> None:
    kept = {**jobs.find_resources("AWS::DynamoDB::GlobalTable"), **jobs.find_resources("AWS::S3::Bucket")}
    assert {resource["DeletionPolicy"] for resource in kept.values()} == {"Retain"}


def statements(template: Template, function_part: str) -> list[dict[str, Any]]:
    policies = resources(template, "AWS::IAM::Policy")
    found = [policy for name, policy in policies.items() if function_part in name]
    return [one for policy in found for one in policy["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize(
    ("part", "may"),
    [
        ("ResultWorkerService", {"dynamodb:UpdateItem"}),
        ("DlqWorkerService", {"dynamodb:UpdateItem"}),
        ("JobCounterService", {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}),
    ],
)
def test_writers_may_write_and_no_more(jobs: Template, part: str, may: set[str]) -> None:
    received = {
        "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl", "sqs:DeleteMessage",
        "sqs:GetQueueAttributes", "dynamodb:ListStreams", "dynamodb:DescribeStream",
        "dynamodb:GetRecords", "dynamodb:GetShardIterator",
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents",
    }  # fmt: skip
    actions: set[str] = set()
    for statement in statements(jobs, part):
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
    assert actions - received == may


def test_stable_outputs_are_there_for_tools_to_read(jobs: Template) -> None:
    names = {"JobsTable", "LedgerTable", "JobsQueueUrl", "ResultsQueueUrl", "DeadLetterQueueUrl", "TopicArn"}
    assert names <= set(jobs.to_json()["Outputs"])


def test_the_worker_has_room_for_the_largest_images_side_by_side(jobs: Template) -> None:
    measured = 69  # MB, with small ones: docs/performance.md
    runtime = 60  # MB, what Lambda's own runtime may take
    images = MAX_PARALLEL_DOWNLOADS * MAX_IMAGE / 1e6
    assert function(jobs, "job_worker")["MemorySize"] >= measured + runtime + images


def test_access_logs_are_taken_from_the_other_stacks(jobs: Template, templates: dict[str, Template]) -> None:
    policy = named(jobs, "AWS::S3::BucketPolicy", "AccessLogs")["PolicyDocument"]
    allowed = {}
    for one in policy["Statement"]:
        if one["Effect"] == "Allow":
            keys = "".join(map(str, one["Resource"]["Fn::Join"][1][1:]))
            allowed[one["Principal"]["Service"], keys] = one.get("Condition")
    account = {"Ref": "AWS::AccountId"}
    (balancer,) = resources(templates["CaloLive"], "AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
    prefix = attributes["access_logs.s3.prefix"]
    assert ("logdelivery.elasticloadbalancing.amazonaws.com", f"/{prefix}/AWSLogs/{account}/*") in allowed
    assert read(templates["CaloLive"], attributes["access_logs.s3.bucket"]) == "/calo/access-logs-bucket"
    site = named(templates["CaloWeb"], "AWS::S3::Bucket", "Site")["LoggingConfiguration"]
    assert allowed["logging.s3.amazonaws.com", f"/{site['LogFilePrefix']}*"] == {
        "StringEquals": {"aws:SourceAccount": account}
    }
