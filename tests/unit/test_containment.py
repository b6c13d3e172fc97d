"""One damaged item, record, message or photo affects only itself."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.common.api import Api
from functions.common.decode import conforms
from functions.common.errors import Damaged
from functions.common.job import SHARDS, Job, JobError, Progress
from functions.common.ledger import Ledger
from functions.common.queues import OutgoingMessage
from functions.common.store import JobStore
from functions.job_counter.count_jobs import JobCounter
from functions.read_jobs.handler import ROUTES
from functions.read_jobs.read_jobs import JobReader
from functions.result_worker.record_results import record_results
from tests.unit.factories import (
    ParsedResponse,
    api_event,
    make_job,
    make_result,
    sqs_record,
    stored,
    stream_record,
)
from tests.unit.fakes import FakeClock, Queues, Workbench
from tests.unit.faults import refused

DAMAGE: dict[str, Any] = {
    "a fractional time": {"created_at": {"N": "1.5"}},
    "an output that is not an object": {"output": {"S": "[1]"}},
    "an output that is not JSON": {"output": {"S": "{"}},
    "an output as a map": {"output": {"M": {"id": {"S": "x"}}}},
    "an infinite number": {"output": {"S": '{"a": 1e400}'}},
    "progress without a message": {"progress": {"M": {"fraction": {"N": "0.5"}}}},
    "a text as fraction": {"progress": {"M": {"fraction": {"S": "0.5"}, "message": {"NULL": True}}}},
    "a text as version": {"version": {"S": "seven"}},
    "a number of 41 digits": {"version": {"N": "9" * 41}},
    "an unknown status": {"status": {"S": "done"}},
    "a number as input": {"input": {"N": "5"}},
    "a set": {"error": {"SS": ["a"]}},
    "no time": {"created_at": {"NULL": True}},
}


@pytest.fixture
def reader(store: JobStore, ledger: Ledger, clock: FakeClock) -> Iterator[JobReader]:
    with ThreadPoolExecutor(SHARDS) as pool:
        yield JobReader(store, ledger, {}, {}, pool, clock)


def get(reader: JobReader, path: str) -> ParsedResponse:
    return ParsedResponse.read(Api(ROUTES, reader, "none").handle(api_event(path=path)))


def put_damaged(dynamodb: Any, damage: dict[str, Any]) -> Job:
    job = make_job()
    dynamodb.put_item(TableName="jobs", Item={**job.to_item(), **damage})
    return job


@pytest.mark.parametrize("damage", [value for name, value in DAMAGE.items() if "41" not in name])
def test_a_damaged_job_is_left_out_of_the_list_and_reported(
    reader: JobReader,
    store: JobStore,
    dynamodb: Any,
    damage: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = make_job()
    store.create(good)
    damaged = put_damaged(dynamodb, damage)
    response = get(reader, "/jobs")
    assert [job["id"] for job in response.body["data"]] == [good.id]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["Damaged"], line["place"]) for line in lines if "_aws" in line] == [([1.0], "jobs table")]
    [record] = [record for record in caplog.records if record.message == "damaged item skipped"]
    assert damaged.id in record.id  # type: ignore[attr-defined]


def test_a_damaged_job_itself_is_a_clear_error(reader: JobReader, dynamodb: Any) -> None:
    job = put_damaged(dynamodb, DAMAGE["a fractional time"])
    response = get(reader, f"/jobs/{job.id}")
    assert (response.status, "damaged" in response.body["detail"]) == (500, True)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_image_raises_damaged(damage: dict[str, Any]) -> None:
    with pytest.raises(Damaged):
        Job.from_item({**make_job().to_item(), **damage})


ATTRIBUTES = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, st.text()),
        st.builds(lambda number: {"N": number}, st.one_of(st.integers().map(str), st.text(max_size=3))),
        st.just({"NULL": True}),
        st.none(),
        st.integers(),
        st.text(max_size=3),
    ),
    lambda inner: st.builds(
        lambda value: {"M": value}, st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(Job.__dataclass_fields__)), ATTRIBUTES)
def test_any_attribute_is_decoded_to_its_type_or_raises_damaged(name: str, attribute: Any) -> None:
    item: Any = {**make_job().to_item(), name: attribute}
    try:
        job = Job.from_item(item)
    except Damaged:
        return
    json.dumps(asdict(job)).encode()
    assert job.to_item()


@given(st.dictionaries(st.sampled_from(["dynamodb", "eventID"]), ATTRIBUTES))
def test_any_stream_record_is_counted_or_skipped(record: dict[str, Any]) -> None:
    class NoLedger:
        def marks(self, _: Any) -> Any:
            raise AssertionError("a record without a job was counted")

    JobCounter(NoLedger()).count([record])  # type: ignore[arg-type]


def test_a_damaged_stream_record_does_not_affect_the_others(ledger: Ledger) -> None:
    good = stream_record(new=make_job())
    bad = stream_record(new=make_job())
    bad["dynamodb"]["NewImage"]["version"] = {"N": "1.5"}
    JobCounter(ledger).count([bad, good, {"dynamodb": {}}])
    assert ledger.counts("public").by_status()["pending"] == 1


def test_a_result_with_a_huge_number_does_not_affect_the_others(store: JobStore) -> None:
    jobs = [make_job() for _ in range(10)]
    for job in jobs:
        store.create(job)
    bodies = [make_result(job).body() for job in jobs]
    bodies[4] = bodies[4].replace('"run":', f'"run":{"9" * 41},"r":')
    assert record_results([sqs_record(body, str(index)) for index, body in enumerate(bodies)], store) == {"4"}
    assert [stored(store, job).status for job in jobs].count("resolved") == 9


def test_a_batch_that_sqs_refuses_is_sent_one_by_one(queues: Queues) -> None:
    messages = [OutgoingMessage(f"m{number}", str(number)) for number in range(12)]
    with (
        refused(queues.sqs, "SendMessageBatch"),
        refused(queues.sqs, "SendMessage", only=b'"MessageBody": "3"'),
    ):
        assert queues.jobs.send_all(messages) == {"m3"}
    received = queues.jobs.bodies() + queues.jobs.bodies()
    assert sorted(received) == [number for number in range(12) if number != 3]


def test_an_unexpected_error_affects_only_its_topic(bench: Workbench) -> None:
    bench.unsplash.errors["bad"] = ZeroDivisionError("a bug")
    bench.add("bad", "pasta")
    assert len(bench.work()) == 1
    assert len(bench.queues.results.bodies()) == 1


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ("x", str, True),
        ("\ud800", str, False),
        (True, int, False),
        (10**15, int, False),
        (1.0, int, False),
        (None, int | None, True),
        ({"code": "c", "message": "m", "attempts": 1, "new": 1}, JobError | None, True),
        ({"code": "c", "message": "m"}, JobError | None, False),
        (0.25, float, True),
        (1, float, True),
        (True, float, False),
        (float("inf"), float, False),
        ({"fraction": 0.5, "message": None}, Progress | None, True),
        ({"fraction": "0.5", "message": None}, Progress | None, False),
    ],
)
def test_types_are_checked_strictly(value: Any, hint: Any, expected: bool) -> None:
    assert conforms(value, hint) is expected
