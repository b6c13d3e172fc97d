"""The exact bytes of a stream."""

import pytest

from functions.sse_relay.change import HEARTBEAT, change_of_line, line_of, plain, resync, retry, to_chunk
from tests.relay.conftest import NOW, change, job_id


def test_a_job_is_one_unnamed_event_with_its_cursor() -> None:
    expected = (
        f"id: {NOW}\n"
        f'data: {{"id":"{job_id(1)}","status":"pending","query":"crème","result":null,"photo":null,'
        f'"error":null,"deferred_until":null,"created_at":{NOW},"updated_at":{NOW},"version":3}}\n\n'
    )
    assert plain(change(1, 3, query="crème").chunk) == expected.encode()


def test_a_newline_in_a_query_cannot_break_out_of_its_event() -> None:
    lines = plain(change(query="a\n\ndata: forged").chunk).decode().split("\n")
    assert [line.split(":")[0] for line in lines] == ["id", "data", "", ""]


def test_a_chunk_says_its_length_in_bytes() -> None:
    assert to_chunk("é\n") == b"3\r\n\xc3\xa9\n\r\n"


def test_the_other_lines_of_a_stream() -> None:
    assert plain(HEARTBEAT) == b":\n\n"
    assert plain(retry(1234)) == b"retry: 1234\n\n"
    assert plain(resync(5)) == b'id: 5\nevent: resync\ndata: {"reason":"cursor"}\n\n'


def test_a_line_is_the_same_change_and_back() -> None:
    one = change(1, 3, query="crème\n")
    assert change_of_line(line_of(one)) == one
    assert change_of_line(b" " + line_of(one) + b"\r") == one


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"null", b'{"id":"x"}', b'{"id":"x","version":"?","updated_at":1}', b"\xff",
     b'{"id":"x",\r"version":1,"updated_at":1}'],
)  # fmt: skip
def test_what_is_no_job_in_a_line_is_refused(line: bytes) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        change_of_line(line)
