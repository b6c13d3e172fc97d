"""The head of an answer."""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

CORS = {"Access-Control-Allow-Origin": "*"}
STREAM_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    **CORS,
}


@lru_cache(maxsize=2)
def stream_head(chunked: bool, second: int) -> bytes:
    """Of a stream that begins now (epoch seconds)."""
    coding = {"Transfer-Encoding": "chunked"} if chunked else {}
    return head(200, {**STREAM_HEADERS, **coding}, second)


def head(status: int, headers: dict[str, str], second: int) -> bytes:
    """`second`: the time, epoch seconds."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Date: {formatdate(second, usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in {**headers, "Connection": "close"}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
