"""Fixtures for all unit tests: moto instead of AWS, and no network except the loopback interface."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.moto_api._internal.models import moto_api_backend

from functions.common.api import Api
from functions.common.job import SHARDS
from functions.common.ledger import Ledger
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore
from functions.common.tokens import TokenSettings, TokenVerifier
from tests.issuer import AUDIENCE, Issuer
from tests.tables import table_requests
from tests.unit.fakes import FakeClock, Page, Queues, ReadableQueue, Workbench
from tests.unit.gateway import Gateway
from tests.unit.sign_in import ISSUER, api_functions
from tests.unit.webhook_desk import Desk


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
            pytest.fail(f"a unit test tried to connect to {address}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    aws = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in {**aws, "NO_PROXY": "*"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="package")
def session() -> Iterator[boto3.Session]:
    """Return one session for all tests, because loading it takes longer than most tests."""
    with mock_aws():
        yield boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def aws(session: boto3.Session) -> Iterator[boto3.Session]:
    yield session
    moto_api_backend.reset()


@pytest.fixture(scope="package")
def empty_tables(session: boto3.Session) -> dict[str, Any]:
    """Return moto's empty tables `jobs` and `ledger`. To copy them is faster than to create them."""
    for request in table_requests():
        session.client("dynamodb").create_table(**request)
    return deepcopy(dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables)


@pytest.fixture
def dynamodb(empty_tables: dict[str, Any], aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client, with the tables `jobs` and `ledger`."""
    lock, real = Lock(), DynamoHandler.call_action

    def one_at_a_time(self: DynamoHandler) -> Any:
        with lock:  # moto checks a condition and then writes, DynamoDB does both atomically
            return real(self)

    monkeypatch.setattr(DynamoHandler, "call_action", one_at_a_time)
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables = deepcopy(empty_tables)
    return aws.client("dynamodb")


@pytest.fixture
def store(dynamodb: Any, clock: FakeClock) -> JobStore:
    return JobStore(dynamodb, "jobs", clock)


@pytest.fixture
def ledger(dynamodb: Any) -> Ledger:
    return Ledger(dynamodb, "ledger")


@pytest.fixture
def schedules(dynamodb: Any) -> ScheduleStore:
    return ScheduleStore(dynamodb, "jobs")


@pytest.fixture
def queues(aws: boto3.Session) -> Queues:
    sqs = aws.client("sqs")
    return Queues(sqs, *(ReadableQueue(sqs, name) for name in ("jobs", "results", "dead-letters")))


@pytest.fixture
def bench(dynamodb: Any, store: JobStore, queues: Queues, clock: FakeClock) -> Workbench:
    return Workbench(dynamodb, store, queues, clock)


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Page]], str]]:
    """Return a function that starts a web server with the given pages and returns its `host:port`."""
    servers: list[ThreadingHTTPServer] = []

    def start(pages: dict[str, Page]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(ConnectionError):
                    pages[self.path.split("?")[0]](self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(ISSUER)


@pytest.fixture
def functions(
    store: JobStore, ledger: Ledger, schedules: ScheduleStore, queues: Queues, clock: FakeClock
) -> Iterator[list[Api]]:
    """Return the functions of the API with sign-in, at the present time: tokens have real ones."""
    clock.now = time.time_ns() // 1_000_000
    with ThreadPoolExecutor(SHARDS) as pool:
        yield api_functions(store, ledger, schedules, queues, clock, pool)


@pytest.fixture
def gateway(functions: list[Api], issuer: Issuer, clock: FakeClock) -> Gateway:
    return Gateway(functions, TokenVerifier(TokenSettings(ISSUER, AUDIENCE), issuer.fetch, clock))


@pytest.fixture
def ann(issuer: Issuer) -> str:
    return issuer.token("ann")


@pytest.fixture
def bob(issuer: Issuer) -> str:
    return issuer.token("bob")


@pytest.fixture
def olga(issuer: Issuer) -> str:
    return issuer.operator_token()


@pytest.fixture
def desk(ledger: Ledger, aws: boto3.Session, clock: FakeClock) -> Desk:
    return Desk(ledger, aws.client("sqs"), clock)
