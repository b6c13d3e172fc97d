"""Each function, with the credentials of its own role, tries something that it must not do.

That the Lambda functions may do what they must is shown by the rest of the suite, which runs with IAM
enforced; of the relay, whose stack the emulator does not have, it is shown here.
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
from tests.integration.conftest import Calo, Live
from tests.integration.live_roles import make_role

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


def spend_budget(client: Any, outputs: dict[str, str]) -> None:
    client("dynamodb").update_item(TableName=outputs["LedgerTable"], Key={"pk": {"S": "budget"}})


def queue_a_job(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=outputs["JobsQueueUrl"], MessageBody="x")


def forge_a_result(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").send_message(QueueUrl=outputs["ResultsQueueUrl"], MessageBody="x")


def read_the_access_key(client: Any, outputs: dict[str, str]) -> None:
    client("secretsmanager").get_secret_value(SecretId=outputs["UnsplashSecret"])


def read_an_image(client: Any, outputs: dict[str, str]) -> None:
    client("s3").get_object(Bucket=outputs["ImagesBucket"], Key="images/x/regular")


def put_an_image_elsewhere(client: Any, outputs: dict[str, str]) -> None:
    client("s3").put_object(Bucket=outputs["ImagesBucket"], Key="index.html", Body=b"x")


def make_a_queue(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").create_queue(QueueName="another")


def delete_a_queue(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").delete_queue(QueueUrl=outputs["ResultsQueueUrl"])


def read_the_queue(client: Any, outputs: dict[str, str]) -> None:
    client("sqs").receive_message(QueueUrl=outputs["JobsQueueUrl"])


REFUSALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
MUST_NOT: dict[str, list[Attempt]] = {
    "create_job": [update_job, delete_job, scan_jobs, spend_budget, forge_a_result, read_the_access_key],
    "read_jobs": [put_job, update_job, scan_jobs, spend_budget, queue_a_job],
    "change_job": [put_job, delete_job, forge_a_result, spend_budget],
    "job_worker": [put_job, delete_job, scan_jobs, read_an_image, put_an_image_elsewhere],
    "result_worker": [put_job, delete_job, queue_a_job, spend_budget, read_the_access_key],
    "dlq_worker": [put_job, delete_job, queue_a_job, forge_a_result],
    "job_counter": [update_job, put_job, forge_a_result],
    "job_watchdog": [put_job, delete_job, scan_jobs, spend_budget, forge_a_result],
}


def role_of(calo: Calo, name: str) -> str:
    configuration = calo.client("lambda").get_function_configuration(FunctionName=calo.function(name))
    return str(configuration["Role"])


def credentials_of(calo: Calo, role: str) -> dict[str, str]:
    """Of a role, as the environment of a process."""
    assumed = calo.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": assumed["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": assumed["SecretAccessKey"],
        "AWS_SESSION_TOKEN": assumed["SessionToken"],
    }


@contextlib.contextmanager
def acting_as(calo: Calo, role: str) -> Iterator[Callable[[str], Any]]:
    """Clients with the credentials of a role."""
    credentials: Any = {name.lower(): value for name, value in credentials_of(calo, role).items()}
    session = boto3.Session(region_name=calo.system.emulator.region, **credentials)
    with contextlib.ExitStack() as clients:
        yield lambda service: clients.enter_context(
            contextlib.closing(session.client(service, endpoint_url=calo.system.emulator.endpoint))
        )


def refused(calo: Calo, role: str, attempt: Attempt) -> bool:
    if not calo.system.enforce_iam:
        pytest.skip("this emulator does not enforce IAM")
    with acting_as(calo, role) as client, pytest.raises(ClientError) as error:
        attempt(client, calo.system.outputs)
    return error.value.response["Error"]["Code"] in REFUSALS


@pytest.mark.parametrize(
    ("name", "attempt"),
    [(name, attempt) for name, attempts in MUST_NOT.items() for attempt in attempts],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_function_may_not(calo: Calo, name: str, attempt: Attempt) -> None:
    assert refused(calo, role_of(calo, name), attempt)


@pytest.fixture(scope="module")
def relay_role(calo: Calo, templates: dict[str, Template]) -> str:
    return make_role(calo, templates["CaloLive"], "TaskTaskRole")


@pytest.mark.parametrize(
    "attempt", [put_job, update_job, scan_jobs, spend_budget, queue_a_job, make_a_queue, read_the_queue]
)
def test_the_relay_may_not(calo: Calo, relay_role: str, attempt: Attempt) -> None:
    assert refused(calo, relay_role, attempt)


def test_the_relay_may_do_what_it_must(calo: Calo, relay_role: str) -> None:
    ended = calo.create("pasta")
    with calo.live(job=ended["id"]) as live:
        ended = live.ended(ended["id"])
    with calo.system.another_relay(credentials_of(calo, relay_role)) as relay:
        with Live(relay.url, lastEventId=str(ended["updated_at"])) as live:
            assert live.ended(ended["id"]) == ended
            live.fence(calo)
        with Live(relay.url, job=ended["id"]) as live:
            assert live.ended(ended["id"]) == ended
        queues = calo.relay_queues()
    assert len(queues) == len(calo.relay_queues()) + 1


@pytest.fixture(scope="module")
def janitor_role(calo: Calo, templates: dict[str, Template]) -> str:
    return make_role(calo, templates["CaloLive"], "RelayJanitorServiceRole")


@pytest.mark.parametrize("attempt", [put_job, queue_a_job, make_a_queue, delete_a_queue])
def test_the_janitor_may_not(calo: Calo, janitor_role: str, attempt: Attempt) -> None:
    assert refused(calo, janitor_role, attempt)


def test_the_janitor_removes_what_a_killed_relay_leaves_behind(calo: Calo, janitor_role: str) -> None:
    topic = calo.system.outputs["TopicArn"]
    before = calo.relay_queues()
    with calo.system.another_relay({}) as relay:
        (queue,) = set(calo.relay_queues()) - set(before)
        relay.process.kill()
    assert queue in calo.relay_queues()
    with acting_as(calo, janitor_role) as client:
        janitor = RelayJanitor(client("sqs"), client("sns"), topic, RELAY_QUEUE_PREFIX)
        for _ in range(2):
            janitor.remove("another-relay")
    assert calo.relay_queues() == before
    subscriptions = calo.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert len(subscriptions) == len(before)


def test_every_function_is_tried(calo: Calo) -> None:
    handlers = [one["Handler"] for one in calo.client("lambda").list_functions()["Functions"]]
    own = {handler.split(".")[1] for handler in handlers if handler.startswith("functions.")}
    assert own == set(MUST_NOT)
