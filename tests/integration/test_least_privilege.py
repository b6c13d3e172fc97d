"""Each function, with the credentials of its own role, tries something that it must not do.

That it may do what it must is shown by the rest of the suite, which runs with IAM enforced.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import Calo

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


@contextlib.contextmanager
def as_function(calo: Calo, name: str) -> Iterator[Callable[[str], Any]]:
    """Clients with the credentials of a function's role."""
    functions = calo.client("lambda").list_functions()["Functions"]
    (role,) = [one["Role"] for one in functions if one["Handler"] == f"functions.{name}.handler.handler"]
    credentials = calo.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name="us-east-1",
    )
    with contextlib.ExitStack() as clients:
        yield lambda service: clients.enter_context(
            contextlib.closing(session.client(service, endpoint_url=calo.system.deployment.endpoint))
        )


@pytest.mark.parametrize(
    ("name", "attempt"),
    [(name, attempt) for name, attempts in MUST_NOT.items() for attempt in attempts],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_function_may_not(calo: Calo, name: str, attempt: Attempt) -> None:
    with as_function(calo, name) as client, pytest.raises(ClientError) as refused:
        attempt(client, calo.system.outputs)
    assert refused.value.response["Error"]["Code"] in (
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
    )


def test_every_function_is_tried(calo: Calo) -> None:
    handlers = [one["Handler"] for one in calo.client("lambda").list_functions()["Functions"]]
    own = {handler.split(".")[1] for handler in handlers if handler.startswith("functions.")}
    assert own == set(MUST_NOT)
