"""The exact bytes of a stream."""

import pytest

from functions.sse_relay.change import HEARTBEAT, change_of_shown, frame, resync, retry
from tests.relay.conftest import NOW, change, job_id


def test_a_job_is_one_unnamed_event_with_its_cursor() -> None:
    expected = (
        f"id: {NOW}\n"
        f'data: {{"id":"{job_id(1)}","status":"pending","query":"crème","result":null,"photo":null,'
        f'"error":null,"deferred_until":null,"created_at":{NOW},"updated_at":{NOW},"version":3}}\n\n'
    )
    assert change(1, 3, query="crème").frame.plain == expected.encode()


def test_a_newline_in_a_query_cannot_break_out_of_its_event() -> None:
    lines = change(query="a\n\ndata: forged").frame.plain.decode().split("\n")
    assert [line.split(":")[0] for line in lines] == ["id", "data", "", ""]


def test_a_chunk_says_its_length_in_bytes() -> None:
    assert frame("é\n").chunk == b"3\r\n\xc3\xa9\n\r\n"


def test_the_other_lines_of_a_stream() -> None:
    assert HEARTBEAT.plain == b":\n\n"
    assert retry(1234).plain == b"retry: 1234\n\n"
    assert resync(5).plain == b'id: 5\nevent: resync\ndata: {"reason":"cursor"}\n\n'


@pytest.mark.parametrize("shown", [{}, [], {"id": "x"}, {"id": "x", "version": "?", "updated_at": 1}])
def test_what_is_no_job_is_refused(shown: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        change_of_shown(shown)
