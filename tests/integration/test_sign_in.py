"""The deployed API with sign-in, and with IAM enforced. The issuer is a stand-in."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from local.processes import free_ports
from local.run_file import run_folder
from local.system import LocalSystem
from tests.integration.conftest import Calo, JobJson, LiveStream, eventually
from tests.integration.test_fuzz import CALLS_WITH_SIGN_IN, CHECKS
from tests.integration.test_least_privilege import (
    Attempt,
    delete_job,
    is_refused,
    put_job,
    read_access_key,
    role_arn,
    scan_jobs,
    send_job_message,
    spend_budget,
)
from tests.issuer import AUDIENCE, BAD_TOKENS, Issuer
from tests.unit.gateway import BODIES, CALLS

CASES = 8
"""Cases of the fuzzer per call: the test without sign-in has more."""
REFUSED = (
    "garbage", "expired", "not yet valid", "other issuer", "other audience", "other key", "alg none",
    "HMAC with the public key", "no subject", "tampered",
)  # fmt: skip
"""Tokens that each call is tried with. After each refusal the emulator starts the authorizer again."""


@dataclass
class SignedIn:
    """The system, its issuer, and a client for each of three people."""

    calo: Calo
    issuer: Issuer

    def __post_init__(self) -> None:
        self.ann, self.bob = (self.client(self.issuer.token(name)) for name in ("ann", "bob"))
        self.olga = self.client(self.issuer.operator_token("olga"))

    def client(self, token: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return httpx.Client(base_url=f"{self.calo.system.url}/api/", timeout=60, headers=headers)

    def create(self, person: httpx.Client, query: str = "pasta", **fields: Any) -> JobJson:
        response = person.post("jobs", json={"query": query, **fields})
        assert response.status_code == 201, response.text
        job: JobJson = response.json()
        return job


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedIn]:
    (port,) = free_ports(1)
    folder = run_folder(tmp_path_factory.mktemp("sign-in"), port)
    with contextlib.ExitStack() as stack:
        issuer = stack.enter_context(Issuer().serve())
        sign_in = {"auth": "oidc", "oidc_issuer": issuer.url, "oidc_audience": AUDIENCE}
        options = {**sign_in, "grace_seconds": str(Calo.grace)}
        environment = {"HOME": str(folder.parent)}
        system = LocalSystem(folder, port, settings=options, environment=environment, enforce_iam=True)
        calo = stack.enter_context(contextlib.closing(Calo(stack.enter_context(system))))
        signed_in = SignedIn(calo, issuer)
        for client in (signed_in.ann, signed_in.bob, signed_in.olga):
            stack.enter_context(client)
        yield signed_in


def test_no_call_is_made_without_a_valid_token(signed_in: SignedIn) -> None:
    """Each call is tried without a token, and each bad token with a call. In process, each with each."""
    job = signed_in.create(signed_in.ann, delay_seconds=900)
    tokens = {name: BAD_TOKENS[name](signed_in.issuer) for name in REFUSED}
    calls = (*CALLS, ("HEAD", "/jobs"), ("POST", "/live/tickets"))
    tries: list[tuple[str, str, str | None]] = [(*call, None) for call in calls]
    tries += [(*call, name) for call, name in zip(calls, tokens, strict=False)]

    def call(method: str, path: str, name: str | None) -> httpx.Response:
        with signed_in.client(tokens[name] if name else None) as client:
            return client.request(method, path.lstrip("/").replace("{id}", job["id"]))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: call(*each), tries))
    wrong = [(*each, answer.status_code) for each, answer in zip(tries, answers, strict=True)]
    assert [each for each in wrong if each[-1] != 401] == []
    for answer in answers:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"].startswith("application/problem+json")
        if answer.request.method != "HEAD":
            assert answer.json()["status"] == 401
    assert signed_in.ann.get(f"jobs/{job['id']}").json() == job


@pytest.mark.parametrize("header", ["", "Bearer", "Basic {}", "{}"])
def test_a_header_without_a_bearer_token_is_refused(signed_in: SignedIn, header: str) -> None:
    sent = {"authorization": header.replace("{}", signed_in.issuer.token())}
    assert httpx.get(f"{signed_in.ann.base_url}jobs", headers=sent).status_code == 401


def test_headers_and_the_scheme_may_be_written_in_any_case(signed_in: SignedIn) -> None:
    for name, scheme in (("AUTHORIZATION", "bearer"), ("authorization", "BEARER")):
        sent = {name: f"{scheme} {signed_in.issuer.token()}"}
        assert httpx.get(f"{signed_in.ann.base_url}jobs", headers=sent).status_code == 200


def test_documents_and_preflights_are_open(signed_in: SignedIn) -> None:
    with signed_in.client(None) as anyone:
        assert [anyone.get(path).status_code for path in ("kinds", "openapi.json")] == [200, 200]
        asked = {"Origin": "https://x.test", "Access-Control-Request-Method": "DELETE"}
        answer = anyone.options("jobs/x", headers=asked)
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()


def test_keys_that_cannot_be_fetched_are_answered_with_503(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(url: str) -> Any:
        raise OSError(url)

    with signed_in.client("garbage") as client:
        assert client.get("jobs").status_code == 401  # the emulator then starts the authorizer without keys
    with signed_in.client(signed_in.issuer.token("carl")) as carl:
        with monkeypatch.context() as patch:
            patch.setattr(signed_in.issuer, "fetch", unavailable)
            answer = carl.get("jobs")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["status"] == 503
        assert carl.get("jobs").status_code == 200


def test_a_token_that_expires_is_refused_although_the_gateway_still_knows_it(signed_in: SignedIn) -> None:
    token = signed_in.issuer.token("ann", exp=int(signed_in.issuer.claims()["iat"]) + 3)
    with signed_in.client(token) as ann:
        assert ann.get("jobs").status_code == 200
        eventually(lambda: ann.get("jobs").status_code == 401, 20)
        assert "expired" in ann.get("jobs").json()["detail"]


def test_another_owners_items_are_answered_like_those_that_do_not_exist(
    signed_in: SignedIn, unknown_id: str
) -> None:
    job = signed_in.create(signed_in.ann, delay_seconds=900, notify="https://example.com/hook")
    schedule = signed_in.ann.post("schedules", json={"cron": "0 9 * * *"}).json()
    for method, path in [call for call in CALLS if "{id}" in call[1]]:
        own = schedule["id"] if path.startswith("/schedules") else job["id"]
        body = BODIES.get((method, path))
        others, absent = (
            signed_in.bob.request(method, path[1:].replace("{id}", item_id), content=body)
            for item_id in (own, unknown_id)
        )
        assert (others.status_code, absent.status_code) == (404, 404), (method, path)
        assert others.text.replace(own, unknown_id) == absent.text
        assert set(others.headers) == set(absent.headers)
    assert signed_in.ann.get(f"jobs/{job['id']}").json() == job
    assert signed_in.ann.get(f"schedules/{schedule['id']}").json() == schedule
    assert signed_in.bob.get("schedules").json()["data"] == []


def test_each_owner_has_an_own_secret_for_webhooks(signed_in: SignedIn) -> None:
    before, of_bob = (
        person.get("webhooks/secret").json()["secret"] for person in (signed_in.ann, signed_in.bob)
    )
    assert before != of_bob
    assert signed_in.ann.post("webhooks/secret").json()["secret"] not in (before, of_bob)
    assert signed_in.bob.get("webhooks/secret").json()["secret"] == of_bob


def test_keys_lists_counts_and_totals_belong_to_the_owner(signed_in: SignedIn) -> None:
    people = {name: signed_in.client(signed_in.issuer.token(name)) for name in ("dora", "emil")}
    jobs: dict[str, JobJson] = {}

    def is_counted(client: httpx.Client) -> bool:
        return bool(client.get("stats").json()["counts"]["resolved"] == 1)

    with people["dora"], people["emil"]:
        for name, client in people.items():
            sent = {"json": {"query": name}, "headers": {"Idempotency-Key": "the same"}}
            first, second = client.post("jobs", **sent), client.post("jobs", **sent)  # type: ignore[arg-type]
            assert (first.status_code, first.json()["id"]) == (201, second.json()["id"])
            jobs[name] = first.json()
        for name, client in people.items():
            job_id = jobs[name]["id"]
            eventually(partial(is_counted, client))
            page = client.get("jobs").json()
            assert ([job["id"] for job in page["data"]], page["total"]) == ([job_id], 1)
            assert sum(client.get("stats").json()["counts"].values()) == 1


def test_an_operator_sees_and_changes_everything(signed_in: SignedIn) -> None:
    olga = signed_in.olga
    jobs = [signed_in.create(person, delay_seconds=900) for person in (signed_in.ann, signed_in.bob)]
    ids = [job["id"] for job in jobs]
    page = olga.get("jobs", params={"owner": "*", "pageSize": 2}).json()
    assert [job["id"] for job in page["data"]] == ids[::-1]
    following = olga.get("jobs", params={"owner": "*", "pageSize": 2, "cursor": page["next_cursor"]}).json()
    assert not {job["id"] for job in following["data"]} & {*ids}
    owner = signed_in.calo.item(ids[0])["owner"]["S"]
    of_ann = olga.get("jobs", params={"owner": owner, "status": "pending"}).json()
    assert of_ann["data"][0]["id"] == ids[0]
    assert ids[1] not in {job["id"] for job in of_ann["data"]}
    assert olga.get("jobs").json()["data"] == []
    for call in ("jobs", "stats"):
        assert signed_in.ann.get(call, params={"owner": owner}).status_code == 403
    for job_id in ids:
        assert olga.delete(f"jobs/{job_id}").json()["status"] == "cancelled"
    pending = {"owner": "*", "status": "pending", "pageSize": "100"}
    assert not {job["id"] for job in olga.get("jobs", params=pending).json()["data"]} & {*ids}

    def is_exact() -> bool:
        query, listed = {"owner": "*", "pageSize": "100"}, 0
        while True:
            page = olga.get("jobs", params=query).json()
            listed += len(page["data"])
            if not page["next_cursor"]:
                return bool(listed == page["total"] > 0)
            query["cursor"] = page["next_cursor"]

    eventually(is_exact)


def test_the_watchdog_rescues_an_owners_job(signed_in: SignedIn) -> None:
    calo, job = signed_in.calo, signed_in.create(signed_in.ann, delay_seconds=900)
    calo.client("dynamodb").update_item(
        TableName=calo.system.outputs["JobsTable"],
        Key={"id": {"S": job["id"]}},
        UpdateExpression="SET due_at = :past, wake_at = :past",
        ExpressionAttributeValues={":past": {"N": str(job["created_at"] - 60_000)}},
    )

    def is_resolved() -> bool:
        calo.run_watchdog()
        return bool(signed_in.ann.get(f"jobs/{job['id']}").json()["status"] == "resolved")

    eventually(is_resolved)


@pytest.mark.parametrize("function", ["authorizer", "create_ticket"])
@pytest.mark.parametrize(
    "attempt", [put_job, delete_job, scan_jobs, spend_budget, send_job_message, read_access_key]
)
def test_the_functions_of_sign_in_may_not(signed_in: SignedIn, function: str, attempt: Attempt) -> None:
    assert is_refused(signed_in.calo, role_arn(signed_in.calo, function), attempt)


def test_a_ticket_opens_a_stream_of_its_owners_jobs(signed_in: SignedIn) -> None:
    """Also after the key was replaced, and not if it names another owner's job."""
    system = signed_in.calo.system
    secret = system.outputs["TicketSecret"]
    environment = {
        "OIDC_ISSUER": signed_in.issuer.url,
        "OIDC_AUDIENCE": AUDIENCE,
        "TICKET_SECRET": secret,
    }
    tickets = signed_in.bob.post("live/tickets")
    assert tickets.status_code == 201, tickets.text
    ticket = tickets.json()["ticket"]
    signed_in.calo.client("secretsmanager").put_secret_value(SecretId=secret, SecretString="another key")
    with system.another_relay(environment) as relay:
        assert httpx.get(relay.url, params={"ticket": ticket[:-1]}).status_code == 401
        with LiveStream(relay.url, ticket=ticket) as live:
            others, own = (signed_in.create(person)["id"] for person in (signed_in.ann, signed_in.bob))
            live.wait_for_end(own)
            assert others not in {job["id"] for job in live.received}
        ticket = signed_in.bob.post("live/tickets", json={"jobs": [others, own]}).json()["ticket"]
        with LiveStream(relay.url, ticket=ticket) as live:
            live.wait_for_end(own)
            assert {job["id"] for job in live.received} == {own}


@pytest.mark.parametrize(("method", "path", "mode"), CALLS_WITH_SIGN_IN)
def test_every_response_conforms_to_the_document_with_sign_in(
    signed_in: SignedIn, method: str, path: str, mode: GenerationMode
) -> None:
    document = schemathesis.openapi.from_url(f"{signed_in.calo.system.url}/api/openapi.json")
    headers = {"Authorization": signed_in.ann.headers["Authorization"]}

    @given(case=document[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def call(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60, headers=headers)

    call()


def test_no_log_contains_a_token(signed_in: SignedIn) -> None:
    """This test is the last one: it reads what the others have caused."""
    logs = signed_in.calo.client("logs")
    reasons = 0
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            lines = [event["message"] for event in page["events"]]
            assert not [line for line in lines if "eyJ" in line]
            reasons += sum("token refused" in line for line in lines)
    assert reasons
