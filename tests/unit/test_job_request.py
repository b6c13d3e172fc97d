"""The body of POST /jobs: what is accepted, and what the refusals say."""

import enum
import hashlib
import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from functions.common.errors import Problem
from functions.common.http.destinations import Destinations
from functions.common.job import MAX_JSON, to_json
from functions.common.kind import Kind
from functions.common.kind_input import MAX_BODY, parse_input
from functions.create_job.job_request import MAX_URL, JobRequest, parse_idempotency_key, parse_job_request
from kinds import countdown, photo

KINDS = {kind.name: kind for kind in (photo.KIND, countdown.KIND)}


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    count: int


class Everything(Struct, frozen=True, rename={"from_": "from"}):
    text: Annotated[str, Meta(min_length=2, max_length=4, pattern="^[a-z]+$")] = "ab"
    number: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    whole: Annotated[int, Meta(ge=1, le=5)] = 1
    flag: bool = False
    color: Literal["red", "green"] = "red"
    size: Size = Size.SMALL
    items: Annotated[list[Item], Meta(max_length=2)] = field(default_factory=list)
    maybe: float | None = None
    from_: str = ""


class Nothing(Struct, frozen=True):
    pass


def kind_of(struct: type[Struct]) -> Kind:
    return Kind("test", "Test", struct, Nothing, lambda job_input, context: Nothing())


KIND = kind_of(Everything)


def query(text: str, delay: int = 0) -> JobRequest:
    return JobRequest("photo", {"query": text}, delay, text)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (" \n", query("food")),
        ('{"query": " crème brûlée \\n", "delay_seconds": 900}', query("crème brûlée", 900)),
        ('{"delay_seconds": 2592000}', query("food", 2_592_000)),
        (json.dumps({"query": "🍝" * 80}), query("🍝" * 80)),
        ('{"input": {"query": "pasta"}, "kind": "photo"}', query("pasta")),
        ('{"kind": "countdown"}', JobRequest("countdown", {"seconds": 10}, 0, "10")),
        (
            '{"kind": "countdown", "input": {"seconds": 600}}',
            JobRequest("countdown", {"seconds": 600}, 0, "600"),
        ),
    ],
)
def test_a_valid_body_is_parsed(body: str, read: JobRequest) -> None:
    assert parse_job_request(body, KINDS) == read
    assert parse_job_request(body, KINDS).fingerprint == read.fingerprint


def test_different_requests_have_different_fingerprints() -> None:
    requests = [query("a"), query("b"), query("a", 1), query("a1", 0), JobRequest("other", {"query": "a"})]
    assert len({request.fingerprint for request in requests}) == 5


@pytest.mark.parametrize("text", ["\u200b", "\u3164", "\u2800 \u00ad", "\u0301", "\ufeff\u200d"])
def test_a_topic_without_a_visible_character_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="query: must contain a visible character"):
        parse_job_request(json.dumps({"query": text}), KINDS)
    assert parse_job_request(json.dumps({"query": f"{text}é"}), KINDS).input["query"]


@pytest.mark.parametrize(
    ("sent", "field_name", "message"),
    [
        ({"whole": 0}, "input.whole", "must be a whole number of at least 1"),
        ({"whole": 6}, "input.whole", "must be a whole number of at most 5"),
        ({"whole": 1.5}, "input.whole", "must be a whole number"),
        ({"whole": True}, "input.whole", "must be a whole number"),
        ({"number": 1}, "input.number", "must be a number below 1.0"),
        ({"number": "0.5"}, "input.number", "must be a number"),
        ({"maybe": "x"}, "input.maybe", "must be a number or null"),
        ({"text": "a"}, "input.text", "must be text with a length of at least 2"),
        ({"text": "abcde"}, "input.text", "must be text with a length of at most 4"),
        ({"text": "A1"}, "input.text", "must be text matching regex '^[a-z]+$'"),
        ({"flag": 1}, "input.flag", "must be true or false"),
        ({"color": "blue"}, "input.color", "must be one of green, red"),
        ({"size": "huge"}, "input.size", "must be one of large, small"),
        ({"items": {}}, "input.items", "must be a list"),
        ({"items": [{"count": 1}] * 3}, "input.items", "must be a list with a length of at most 2"),
        ({"items": [{"count": 1}, {"count": "x"}]}, "input.items[1].count", "must be a whole number"),
        ({"items": [{}]}, "input.items[0].count", "is required"),
        ({"items": [{"count": 1, "x": 1}]}, "input.items[0].x", "is not a field"),
        ({"from_": "x"}, "input.from_", "is not a field; the fields are text, number, whole, flag, color"),
        ([], "input", "must be an object with the fields text"),
    ],
)
def test_a_refused_input_names_the_path_and_says_what_to_send(
    sent: object, field_name: str, message: str
) -> None:
    with pytest.raises(Problem) as refused:
        parse_input(sent, KIND, "input")
    [error] = refused.value.errors
    assert (refused.value.status, error.field) == (400, field_name)
    assert error.message.startswith(message)


def test_an_input_is_complete_and_in_the_form_of_json() -> None:
    complete = parse_input({"number": 0.25, "items": [{"count": 2}], "from": "ü"}, KIND, "input")
    assert complete == {
        "text": "ab",
        "number": 0.25,
        "whole": 1,
        "flag": False,
        "color": "red",
        "size": "small",
        "items": [{"count": 2}],
        "maybe": None,
        "from": "ü",
    }


@pytest.mark.parametrize(
    ("text", "is_accepted"),
    [("x" * (MAX_JSON - 11), True), ("x" * (MAX_JSON - 10), False), ("🍝" * (MAX_JSON // 4), False)],
)
def test_the_size_of_an_input_is_limited_in_bytes(text: str, is_accepted: bool) -> None:
    class Input(Struct, frozen=True):
        text: str

    kinds = {"test": kind_of(Input)}
    body = json.dumps({"kind": "test", "input": {"text": text}})
    assert len(body) < MAX_BODY
    if is_accepted:
        assert parse_job_request(body, kinds).input == {"text": text}
    else:
        with pytest.raises(Problem, match="input: must be at most 32768 bytes long as JSON"):
            parse_job_request(body, kinds)


@pytest.mark.parametrize("text", [r"\ud800", r"a\udfff"])
def test_text_that_utf_8_cannot_encode_is_refused(text: str) -> None:
    class Input(Struct, frozen=True):
        text: str
        more_texts: dict[str, str] = field(default_factory=dict)

    kinds = {"test": kind_of(Input)}
    for sent in (f'{{"text": "{text}"}}', f'{{"text": "", "more_texts": {{"{text}": ""}}}}'):
        with pytest.raises(Problem) as refused:
            parse_job_request(f'{{"kind": "test", "input": {sent}}}', kinds)
        assert refused.value.status == 400


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from([*Everything.__struct_encode_fields__, "other"])


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_input_is_accepted_or_refused_with_a_field(sent: dict[str, Any]) -> None:
    try:
        complete = parse_input(sent, KIND, "input")
    except Problem as problem:
        refused = problem
    else:
        assert parse_input(complete, KIND, "input") == complete
        return
    assert refused.status == 400
    assert all(error.field.startswith("input") and error.message for error in refused.errors)
    assert json.dumps([error.field for error in refused.errors]).encode()


@pytest.mark.parametrize("key", [None, "k", "a key, with spaces", "k" * 200])
def test_a_valid_key_is_not_changed(key: str | None) -> None:
    assert parse_idempotency_key(key) == key


@pytest.mark.parametrize(
    ("message", "field_name", "shown"),
    [
        ("whole must not be 3", "input.whole", "must not be 3"),
        ("three is not allowed", "input", "three is not allowed"),
    ],
)
def test_the_errors_of_a_declarations_own_check_are_shown(message: str, field_name: str, shown: str) -> None:
    class Input(Struct, frozen=True):
        whole: int = 3

        def __post_init__(self) -> None:
            raise ValueError(message)

    kind = object.__new__(Kind)
    object.__setattr__(kind, "input", Input)
    with pytest.raises(Problem) as refused:
        parse_input({"whole": 3}, kind, "input")
    [error] = refused.value.errors
    assert (error.field, error.message) == (field_name, shown)


@pytest.mark.parametrize(
    ("levels", "is_accepted"), [(64, True), (65, False), (500, False), (5_000, False), (20_000, False)]
)
def test_the_nesting_of_an_input_is_limited(levels: int, is_accepted: bool) -> None:
    """Every function must be able to read what one has accepted, whatever Python's own limit is there."""

    class Input(Struct, frozen=True):
        value: Any = None

    kinds = {"test": kind_of(Input)}
    nested = levels - 1  # the input itself is a level
    body = f'{{"kind": "test", "input": {{"value": {"[" * nested}{"]" * nested}}}}}'
    if is_accepted:
        assert parse_job_request(body, kinds).input["value"] is not None
    else:
        with pytest.raises(Problem) as refused:
            parse_job_request(body, kinds)
        assert refused.value.status == 400


RECEIVERS = Destinations(private=frozenset(["127.0.0.1:9000"]))


@pytest.mark.parametrize(
    "url",
    ["https://receiver.test/hook?a=b%20c#d", "https://8.8.8.8:8443/", "http://127.0.0.1:9000/hook",
     "https://receiver.test/" + "x" * (MAX_URL - 22), None],
)  # fmt: skip
def test_a_valid_url_for_notify_is_kept(url: str | None) -> None:
    request = parse_job_request(json.dumps({"notify": url}), KINDS, RECEIVERS)
    assert request.notify == url


@pytest.mark.parametrize(
    "url",
    ["", "receiver.test", "http://receiver.test/", "https://", "ftp://receiver.test/", "https://[x/",
     "https://user:secret@receiver.test/", "https://user@receiver.test/", "https://a b/", "https://é.test/",
     "https://receiver.test/\n", "https://receiver.test\\@127.0.0.1/", "https://127.0.0.1/", "https://127.1/",
     "https://localhost/", "https://10.0.0.1:8443/", "https://[::1]/", "http://127.0.0.1:9001/",
     "https://receiver.test/" + "x" * (MAX_URL - 21), "https://\ud800.test/", 5, True, [], {"url": "x"}],
)  # fmt: skip
def test_an_invalid_url_for_notify_is_refused(url: object) -> None:
    with pytest.raises(Problem) as refused:
        parse_job_request(json.dumps({"notify": url}), KINDS, RECEIVERS)
    (error,) = refused.value.errors
    assert (refused.value.status, error.field) == (400, "notify")
    assert error.message.startswith("must ")


def test_without_webhooks_notify_is_refused() -> None:
    with pytest.raises(Problem, match="webhooks=false"):
        parse_job_request('{"notify": "https://receiver.test/"}', KINDS, None)
    assert parse_job_request('{"notify": null}', KINDS, None).notify is None


def test_notify_is_part_of_the_fingerprint_which_is_as_before_without_it() -> None:
    requests = [
        parse_job_request(json.dumps(body), KINDS)
        for body in ({"query": "x"}, {"query": "x", "notify": None}, {"query": "x", "notify": "https://a.test"},
                     {"query": "x", "notify": "https://b.test"})
    ]  # fmt: skip
    plain, null, *others = [request.fingerprint for request in requests]
    assert plain == null
    assert len({plain, *others}) == 3
    assert plain == hashlib.sha256(to_json(["photo", {"query": "x"}, 0]).encode()).hexdigest()[:32]
