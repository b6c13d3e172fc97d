"""CaloJobs: the properties on which the system's guarantees depend."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from bench import worker_bounds
from infra.tools.bundle import RUNTIME
from tests.conftest import read


@pytest.fixture
def jobs(templates: dict[str, Template]) -> Template:
    return templates["CaloJobs"]


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of resources by logical id."""
    matches = template.find_resources(kind)
    return {name: resource["Properties"] for name, resource in matches.items()}


def named(template: Template, kind: str, name_part: str) -> dict[str, Any]:
    """Return the properties of the only resource whose logical id contains `name_part`."""
    matches = [value for name, value in resources(template, kind).items() if name_part in name]
    assert len(matches) == 1, f"{len(matches)} {kind} with {name_part}"
    return matches[0]


def test_the_jobs_table_streams_both_images_and_expires_jobs(jobs: Template) -> None:
    table = named(jobs, "AWS::DynamoDB::GlobalTable", "TablesJobs")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["Replicas"][0]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Replicas"][0]["DeletionProtectionEnabled"] is True


def test_indexes_contain_only_keys_and_that_of_all_owners_what_is_filtered(jobs: Template) -> None:
    table = named(jobs, "AWS::DynamoDB::GlobalTable", "TablesJobs")
    keys = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == {
        "by-created": ["list_shard", "created_key"],
        "by-status": ["status_shard", "created_key"],
        "by-kind": ["kind_shard", "created_key"],
        "by-updated": ["list_shard", "changed_at"],
        "by-due": ["due_shard", "wake_at"],
        "by-all": ["all_shard", "created_key"],
    }
    projections = {index["IndexName"]: index["Projection"] for index in table["GlobalSecondaryIndexes"]}
    of_all = projections.pop("by-all")
    assert of_all == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status", "kind", "owner", "code"]}
    assert {projection["ProjectionType"] for projection in projections.values()} == {"KEYS_ONLY"}


@pytest.mark.parametrize("queue", ["QueuesJobsPhoto", "QueuesJobsCountdown", "QueuesResults"])
def test_messages_that_are_received_too_often_go_to_the_dead_letter_queue(jobs: Template, queue: str) -> None:
    redrive = named(jobs, "AWS::SQS::Queue", queue)["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 5
    assert "QueuesDeadLetters" in redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]


@pytest.mark.parametrize(
    ("worker", "queue"), [("ResultWorker", "QueuesResults"), ("DlqWorker", "QueuesDeadLetters")]
)
def test_a_message_stays_invisible_while_it_is_processed(jobs: Template, worker: str, queue: str) -> None:
    timeout = named(jobs, "AWS::Lambda::Function", worker)["Timeout"]
    assert named(jobs, "AWS::SQS::Queue", queue)["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize(
    ("name_part", "batch", "window"),
    [
        ("JobWorkerPhoto", 10, None),
        ("JobWorkerCountdown", 1, None),
        ("ResultWorker", 10, None),
        ("DlqWorker", 25, 1),
    ],
)
def test_messages_of_a_batch_fail_separately(
    jobs: Template, name_part: str, batch: int, window: int | None
) -> None:
    source = named(jobs, "AWS::Lambda::EventSourceMapping", name_part)
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == batch
    assert source.get("MaximumBatchingWindowInSeconds") == window
    assert source["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_the_counter_reads_the_stream_from_its_start_and_retries_without_limit(jobs: Template) -> None:
    source = named(jobs, "AWS::Lambda::EventSourceMapping", "JobCounter")
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["MaximumRetryAttempts"] == -1
    assert source["BisectBatchOnFunctionError"] is True


def test_the_watchdog_runs_every_minute(jobs: Template) -> None:
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


def test_functions_without_packages_share_one_arm64_bundle(jobs: Template) -> None:
    """The watchdog has its own, which computes the times of schedules."""
    own = [
        function
        for function in resources(jobs, "AWS::Lambda::Function").values()
        if function["Handler"].startswith("functions.")
    ]
    assert {tuple(function["Architectures"]) for function in own} == {("arm64",)}
    # the bundles of the watchdog and of the sender of webhooks also have their own packages
    bundles = {function["Handler"].split(".")[1]: function["Code"]["S3Key"] for function in own}
    others = {key for name, key in bundles.items() if name not in ("job_watchdog", "webhook_sender")}
    assert len(others) == 1
    assert len(set(bundles.values())) == 3
    # the bundle contains byte code for this version
    assert {function["Runtime"] for function in own} == {f"python{RUNTIME}"}


def test_images_are_private_and_served_by_the_distribution(jobs: Template) -> None:
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


def test_data_is_retained_when_the_stack_is_deleted(jobs: Template) -> None:
    retained = {**jobs.find_resources("AWS::DynamoDB::GlobalTable"), **jobs.find_resources("AWS::S3::Bucket")}
    assert {resource["DeletionPolicy"] for resource in retained.values()} == {"Retain"}


def statements(template: Template, function_part: str) -> list[dict[str, Any]]:
    policies = resources(template, "AWS::IAM::Policy")
    matches = [policy for name, policy in policies.items() if function_part in name]
    return [statement for policy in matches for statement in policy["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize(
    ("name_part", "writes"),
    [
        ("ResultWorkerService", {"dynamodb:UpdateItem"}),
        ("DlqWorkerService", {"dynamodb:UpdateItem"}),
        ("JobCounterService", {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}),
    ],
)
def test_a_writer_has_only_the_permissions_it_needs(jobs: Template, name_part: str, writes: set[str]) -> None:
    received = {
        "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl", "sqs:DeleteMessage",
        "sqs:GetQueueAttributes", "dynamodb:ListStreams", "dynamodb:DescribeStream",
        "dynamodb:GetRecords", "dynamodb:GetShardIterator",
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents",
    }  # fmt: skip
    actions: set[str] = set()
    for statement in statements(jobs, name_part):
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
    assert actions - received == writes


def test_outputs_for_tools_exist(jobs: Template) -> None:
    names = {"JobsTable", "LedgerTable", "ResultsQueueUrl", "DeadLetterQueueUrl", "TopicArn"}
    names |= {"JobsQueueUrl", "JobsQueueUrlCountdown", "UnsplashSecret", "ImagesBucket", "ImagesBaseUrl"}
    assert names <= set(jobs.to_json()["Outputs"])


def test_the_worker_has_memory_for_parallel_downloads_of_the_largest_images(jobs: Template) -> None:
    measured = 200  # MB at its limits, rounded up: `make bench ARGS=bounds`, docs/performance.md
    runtime = 60  # MB, an assumption for Lambda's own runtime
    worker = named(jobs, "AWS::Lambda::Function", "JobWorkerPhoto")
    assert worker["MemorySize"] == worker_bounds.MEMORY_MB >= measured + runtime


def test_other_stacks_may_write_access_logs(jobs: Template, templates: dict[str, Template]) -> None:
    policy = named(jobs, "AWS::S3::BucketPolicy", "AccessLogs")["PolicyDocument"]
    allowed = {}
    for statement in policy["Statement"]:
        if statement["Effect"] == "Allow":
            keys = "".join(map(str, statement["Resource"]["Fn::Join"][1][1:]))
            allowed[statement["Principal"]["Service"], keys] = statement.get("Condition")
    account = {"Ref": "AWS::AccountId"}
    (balancer,) = resources(templates["CaloLive"], "AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    attributes = {attribute["Key"]: attribute["Value"] for attribute in balancer["LoadBalancerAttributes"]}
    prefix = attributes["access_logs.s3.prefix"]
    assert ("logdelivery.elasticloadbalancing.amazonaws.com", f"/{prefix}/AWSLogs/{account}/*") in allowed
    assert read(templates["CaloLive"], attributes["access_logs.s3.bucket"]) == "/calo/access-logs-bucket"
    site = named(templates["CaloWeb"], "AWS::S3::Bucket", "Site")["LoggingConfiguration"]
    assert allowed["logging.s3.amazonaws.com", f"/{site['LogFilePrefix']}*"] == {
        "StringEquals": {"aws:SourceAccount": account}
    }


def test_the_queue_of_webhooks_gets_the_ends_of_jobs_with_a_webhook_as_they_are_published(
    jobs: Template,
) -> None:
    subscription = named(jobs, "AWS::SNS::Subscription", "")
    assert "WebhookNotices" in subscription["Endpoint"]["Fn::GetAtt"][0]
    assert (subscription["RawMessageDelivery"], subscription["FilterPolicyScope"]) == (True, "MessageBody")
    assert subscription["FilterPolicy"] == {
        "dynamodb": {
            "OldImage": {"status": {"S": ["pending"]}},
            "NewImage": {
                "status": {"S": [{"anything-but": ["pending"]}]},
                "notify": {"S": [{"exists": True}]},
            },
        }
    }


def test_notices_that_cannot_be_handled_go_to_their_own_dead_letter_queue(jobs: Template) -> None:
    queue = named(jobs, "AWS::SQS::Queue", "WebhookNotices")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert "WebhookDeadLetters" in queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    timeout = named(jobs, "AWS::Lambda::Function", "WebhookSender")["Timeout"]
    assert queue["VisibilityTimeout"] >= 6 * timeout
    source = named(jobs, "AWS::Lambda::EventSourceMapping", "WebhookSender")
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])


def test_the_key_of_webhooks_is_kept(jobs: Template) -> None:
    (key,) = [
        secret
        for name, secret in jobs.find_resources("AWS::SecretsManager::Secret").items()
        if "WebhookKey" in name
    ]
    assert key["DeletionPolicy"] == "Retain"
    assert key["Properties"]["GenerateSecretString"]["PasswordLength"] == 64


@pytest.mark.parametrize(
    ("stack", "role", "expected"),
    [
        (
            "CaloJobs",
            "WebhookSenderServiceRole",
            [
                (["dynamodb:GetItem", "dynamodb:UpdateItem"], ["delivery#*", "receiver#*"]),
                ("dynamodb:GetItem", ["webhook-secret#*"]),
            ],
        ),
        (
            "CaloApi",
            "WebhooksServiceRole",
            [
                ("dynamodb:GetItem", ["delivery#*"]),
                (["dynamodb:GetItem", "dynamodb:UpdateItem"], ["webhook-secret#*"]),
            ],
        ),
    ],
)
def test_functions_of_webhooks_use_only_their_items_of_the_ledger(
    templates: dict[str, Template], stack: str, role: str, expected: Any
) -> None:
    """The emulator does not enforce this condition."""
    policy = named(templates[stack], "AWS::IAM::Policy", role)
    conditional = [
        (statement["Action"], statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
        for statement in policy["PolicyDocument"]["Statement"]
        if "Condition" in statement
    ]
    assert conditional == expected
    others = [
        action
        for statement in policy["PolicyDocument"]["Statement"]
        if "Condition" not in statement
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert [action for action in others if action.startswith("dynamodb:")] == (
        [] if stack == "CaloJobs" else ["dynamodb:GetItem"]
    )
