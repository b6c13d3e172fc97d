import json

import pytest

from functions.common.errors import Problem
from functions.create_job.job_request import JobRequest, parse_idempotency_key, parse_job_request


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (" \n", JobRequest(query="food", delay_seconds=0)),
        ('{"query": " crème brûlée \\n", "delay_seconds": 900}', JobRequest("crème brûlée", 900)),
        (json.dumps({"query": "🍝" * 80}), JobRequest("🍝" * 80)),
    ],
)
def test_a_valid_body_is_parsed(body: str, read: JobRequest) -> None:
    assert parse_job_request(body) == read
    assert parse_job_request(body).fingerprint == read.fingerprint


def test_different_requests_have_different_fingerprints() -> None:
    requests = [JobRequest("a"), JobRequest("b"), JobRequest("a", 1), JobRequest("a1", 0)]
    assert len({request.fingerprint for request in requests}) == 4


@pytest.mark.parametrize("query", ["\u200b", "\u3164", "\u2800 \u00ad", "\u0301", "\ufeff\u200d"])
def test_a_topic_without_a_visible_character_is_refused(query: str) -> None:
    with pytest.raises(Problem, match="query: must contain a visible character"):
        parse_job_request(json.dumps({"query": query}))
    assert parse_job_request(json.dumps({"query": f"{query}é"})).query


@pytest.mark.parametrize("key", [None, "k", "a key, with spaces", "k" * 200])
def test_a_valid_key_is_not_changed(key: str | None) -> None:
    assert parse_idempotency_key(key) == key
