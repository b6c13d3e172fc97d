"""The exact bytes of a stream."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.common.errors import Damaged
from functions.sse_relay.job_change import HEARTBEAT, JobChange, resync, retry, to_chunk, unchunk
from tests.relay.conftest import NOW, change, job_id


def test_a_job_is_one_unnamed_event_with_its_cursor() -> None:
    expected = (
        f"id: {NOW}\n"
        f'data: {{"id":"{job_id(1)}","kind":"note","status":"pending","input":{{"text":"cr\\u00e8me"}},'
        '"output":null,"progress":null,"error":null,"starts_at":null,"deferred_until":null,'
        f'"created_at":{NOW},"updated_at":{NOW},"version":3}}\n\n'
    )
    assert bytes(unchunk(change(1, 3, text="crème").chunk)) == expected.encode()


def test_an_event_may_have_another_id() -> None:
    renamed = change(1, 3, text="crème").with_id("5.relay.7")
    first, rest = bytes(unchunk(renamed.chunk)).split(b"\n", 1)
    assert first == b"id: 5.relay.7"
    assert rest == bytes(unchunk(change(1, 3, text="crème").chunk)).split(b"\n", 1)[1]
    assert (renamed.job_id, renamed.version, renamed.updated_at) == (job_id(1), 3, NOW)
    assert to_chunk(bytes(unchunk(renamed.chunk))) == renamed.chunk


def test_a_newline_in_a_text_cannot_inject_an_event() -> None:
    lines = bytes(unchunk(change(text="a\n\ndata: forged").chunk)).decode().split("\n")
    assert [line.split(":")[0] for line in lines] == ["id", "data", "", ""]


def test_a_chunk_starts_with_its_length_in_bytes() -> None:
    assert to_chunk("é\n".encode()) == b"3\r\n\xc3\xa9\n\r\n"


def test_the_other_lines_of_a_stream() -> None:
    assert bytes(unchunk(HEARTBEAT)) == b":\n"
    assert bytes(unchunk(retry(1234))) == b"retry: 1234\n"
    assert bytes(unchunk(resync(5))) == b'id: 5\nevent: resync\ndata: {"reason":"cursor"}\n\n'


def test_a_change_survives_the_conversion_to_a_line_and_back() -> None:
    original = change(1, 3, text="crème\n")
    assert JobChange.from_line(original.to_line()) == original
    assert JobChange.from_line(b" " + original.to_line() + b"\r") == original


def test_a_line_may_have_an_owner_that_is_not_shown() -> None:
    change = JobChange.from_line(b'{"owner":"ann","id":"x","version":1,"updated_at":2}')
    assert change.owner == "ann"
    assert change.to_line() == b'{"id":"x","version":1,"updated_at":2}'
    assert JobChange.from_line(change.to_line()).owner == "public"


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"null", b'{"id":"x"}', b'{"id":"x","version":"?","updated_at":1}', b"\xff",
     b'{"id":"x","version":1e400,"updated_at":1}', b'{"id":"x","version":1,"updated_at":' + b"9" * 400 + b"}",
     b'{"id":"x","version":1,"updated_at":1,"owner":7}', b'{"id":"x","version":1,"updated_at":1,"owner":[]}',
     b'{"id":"\\ud800","version":1,"updated_at":1}', b"[" * 100_000],
)  # fmt: skip
def test_a_line_that_is_not_a_job_raises_damaged(line: bytes) -> None:
    with pytest.raises(Damaged):
        JobChange.from_line(line)


@given(st.binary())
def test_any_line_is_a_change_or_damaged(line: bytes) -> None:
    try:
        change = JobChange.from_line(line)
    except Damaged:
        return
    assert bytes(unchunk(change.chunk)).isascii()


def test_an_event_is_ascii_whatever_the_topic() -> None:
    data = bytes(unchunk(change(text="✅\u2028\u0085\ud83c").chunk))
    assert data.isascii()
    assert json.loads(data.split(b"data: ")[1])["input"]["text"] == "✅\u2028\u0085\ud83c"
