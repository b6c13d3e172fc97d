"""Attempt forbidden actions with the credentials of each function's role.

The other tests run with IAM enforced, which shows that the Lambda functions have all permissions they need.
For the relay, whose stack is not deployed to the emulator, it is tested here.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

from functions.relay_janitor.remove_relay import RelayJanitor
from infra.names import RELAY_QUEUE_PREFIX
from tests.integration.conftest import Calo, LiveStream
from tests.integration.live_roles import create_role

KEY = {"id": {"S": "x"}}
Attempt = Callable[[Any, dict[str, str]], Any]


def update_job(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").update_item(TableName=outputs["JobsTable"], Key=KEY)


def put_job(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").put_item(TableName=outputs["JobsTable"], Item=KEY)


def delete_job(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").delete_item(TableName=outputs["JobsTable"], Key=KEY)


def scan_jobs(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").scan(TableName=outputs["JobsTable"])


def query(client: Any, outputs: dict[str, str], index: str, attribute: str) -> None:
    condition = {
        "KeyConditionExpression": f"{attribute} = :p",
        "ExpressionAttributeValues": {":p": {"S": "x"}},
    }
    client("dynamodb").query(TableName=outputs["JobsTable"], IndexName=index, **condition)


def query_jobs(client: Any, outputs: dict[str, str]) -> None:
    query(client, outputs, "by-created", "list_shard")


def query_due_jobs(client: Any, outputs: dict[str, str]) -> None:
    query(client, outputs, "by-due", "due_shard")


def spend_budget(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").update_item(TableName=outputs["LedgerTable"], Key={"pk": {"S": "budget#unsplash"}})


def send_job_message(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=outputs["JobsQueueUrl"], MessageBody="x")


def send_result(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=outputs["ResultsQueueUrl"], MessageBody="x")


def read_access_key(client: Any, outputs: dict[str, str]) -> None:
    client("secretsmanager").get_secret_value(SecretId=outputs["UnsplashSecret"])


def read_image(client: Any, outputs: dict[str, str]) -> None:
    client("s3").get_object(Bucket=outputs["ImagesBucket"], Key="images/photo/x/regular")


def put_image_elsewhere(client: Any, outputs: dict[str, str]) -> None:
    client("s3").put_object(Bucket=outputs["ImagesBucket"], Key="index.html", Body=b"x")


def put_file_of_another_kind(client: Any, outputs: dict[str, str]) -> None:
    client("s3").put_object(Bucket=outputs["ImagesBucket"], Key="images/thumbnail/x", Body=b"x")


def send_message_of_another_kind(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=outputs["JobsQueueUrlCountdown"], MessageBody="x")


def create_queue(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").create_queue(QueueName="another")


def delete_queue(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").delete_queue(QueueUrl=outputs["ResultsQueueUrl"])


def receive_job_messages(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").receive_message(QueueUrl=outputs["JobsQueueUrl"])


def send_notice(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=outputs["WebhooksQueueUrl"], MessageBody="x")


def read_webhook_key(client: Any, outputs: dict[str, str]) -> None:
    client("secretsmanager").get_secret_value(SecretId=outputs["WebhookSecret"])


def read_job(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").get_item(TableName=outputs["JobsTable"], Key=KEY)


REFUSALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
FORBIDDEN: dict[str, list[Attempt]] = {
    "create_job": [
        query_jobs,
        delete_job,
        scan_jobs,
        spend_budget,
        send_result,
        read_access_key,
        send_notice,
        read_webhook_key,
    ],
    "read_jobs": [
        put_job,
        update_job,
        scan_jobs,
        spend_budget,
        send_job_message,
        send_notice,
        read_webhook_key,
    ],
    "change_job": [
        put_job,
        delete_job,
        scan_jobs,
        query_due_jobs,
        send_result,
        spend_budget,
    ],
    "job_worker": [
        put_job,
        delete_job,
        scan_jobs,
        read_image,
        put_image_elsewhere,
        put_file_of_another_kind,
        send_message_of_another_kind,
    ],
    "result_worker": [put_job, delete_job, send_job_message, spend_budget, read_access_key],
    "dlq_worker": [put_job, delete_job, send_job_message, send_result],
    "job_counter": [update_job, put_job, send_result],
    "webhook_sender": [
        read_job,
        put_job,
        update_job,
        send_job_message,
        send_result,
        read_access_key,
    ],
    "webhooks": [
        put_job,
        update_job,
        scan_jobs,
        send_job_message,
        read_access_key,
    ],
    # that its statement is about schedules only is in the template: the emulator does not check keys
    "schedules": [scan_jobs, spend_budget, send_job_message, send_result, read_access_key],
    "job_watchdog": [delete_job, scan_jobs, spend_budget, send_result],
}


def role_arn(calo: Calo, name: str) -> str:
    configuration = calo.client("lambda").get_function_configuration(FunctionName=calo.function_name(name))
    return str(configuration["Role"])


def assume_role(calo: Calo, role: str) -> dict[str, str]:
    """Assume the role. Return its credentials as environment variables."""
    assumed = calo.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": assumed["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": assumed["SecretAccessKey"],
        "AWS_SESSION_TOKEN": assumed["SessionToken"],
    }


@contextlib.contextmanager
def clients_with_role(calo: Calo, role: str) -> Iterator[Callable[[str], Any]]:
    """Yield a function that creates boto3 clients with the credentials of the role."""
    credentials = assume_role(calo, role)
    session = boto3.Session(
        region_name=calo.system.emulator.region,
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials["AWS_SESSION_TOKEN"],
    )
    with contextlib.ExitStack() as clients:
        yield lambda service: clients.enter_context(
            contextlib.closing(session.client(service, endpoint_url=calo.system.emulator.endpoint))
        )


def is_refused(calo: Calo, role: str, attempt: Attempt) -> bool:
    if not calo.system.enforce_iam:
        pytest.skip("this emulator does not enforce IAM")
    with clients_with_role(calo, role) as client, pytest.raises(ClientError) as error:
        attempt(client, calo.system.outputs)
    return error.value.response["Error"]["Code"] in REFUSALS


@pytest.mark.parametrize(
    ("name", "attempt"),
    [(name, attempt) for name, attempts in FORBIDDEN.items() for attempt in attempts],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_function_may_not(calo: Calo, name: str, attempt: Attempt) -> None:
    assert is_refused(calo, role_arn(calo, name), attempt)


@pytest.mark.parametrize("attempt", [read_access_key, put_image_elsewhere, send_job_message])
def test_the_worker_of_another_kind_may_not(calo: Calo, attempt: Attempt) -> None:
    name = calo.function_name("job_worker", "countdown")
    configuration = calo.client("lambda").get_function_configuration(FunctionName=name)
    assert is_refused(calo, str(configuration["Role"]), attempt)


@pytest.fixture(scope="module")
def relay_role(calo: Calo, templates: dict[str, Template]) -> str:
    return create_role(calo, templates["CaloLive"], "TaskTaskRole")


@pytest.mark.parametrize(
    "attempt",
    [put_job, update_job, scan_jobs, spend_budget, send_job_message, create_queue, receive_job_messages],
)
def test_the_relay_may_not(calo: Calo, relay_role: str, attempt: Attempt) -> None:
    assert is_refused(calo, relay_role, attempt)


def test_the_relay_has_the_permissions_that_it_needs(calo: Calo, relay_role: str) -> None:
    job_id = calo.create("pasta")["id"]
    with calo.live(job=job_id) as live:
        ended = live.wait_for_end(job_id)
    with calo.system.another_relay(assume_role(calo, relay_role)) as relay:
        with LiveStream(relay.url, lastEventId=str(ended["updated_at"])) as live:
            assert live.wait_for_end(ended["id"]) == ended
            live.catch_up(calo)
        with LiveStream(relay.url, job=ended["id"]) as live:
            assert live.wait_for_end(ended["id"]) == ended
        queues = calo.relay_queues()
    assert len(queues) == len(calo.relay_queues()) + 1


@pytest.fixture(scope="module")
def janitor_role(calo: Calo, templates: dict[str, Template]) -> str:
    return create_role(calo, templates["CaloLive"], "RelayJanitorServiceRole")


@pytest.mark.parametrize("attempt", [put_job, send_job_message, create_queue, delete_queue])
def test_the_janitor_may_not(calo: Calo, janitor_role: str, attempt: Attempt) -> None:
    assert is_refused(calo, janitor_role, attempt)


def test_the_janitor_removes_the_queue_and_subscription_of_a_killed_relay(
    calo: Calo, janitor_role: str
) -> None:
    topic = calo.system.outputs["TopicArn"]
    before = calo.relay_queues()
    with calo.system.another_relay({}) as relay:
        (queue,) = set(calo.relay_queues()) - set(before)
        relay.process.kill()
    assert queue in calo.relay_queues()
    with clients_with_role(calo, janitor_role) as client:
        janitor = RelayJanitor(client("sqs"), client("sns"), topic, RELAY_QUEUE_PREFIX)
        for _ in range(2):
            janitor.remove("another-relay")
    assert calo.relay_queues() == before
    subscriptions = calo.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert len(subscriptions) == len(before) + 1, "the other one is that of the webhooks"


def test_every_function_has_forbidden_actions(calo: Calo) -> None:
    handlers = [function["Handler"] for function in calo.client("lambda").list_functions()["Functions"]]
    folders = {handler.split(".")[1] for handler in handlers if handler.startswith("functions.")}
    assert folders == set(FORBIDDEN)
