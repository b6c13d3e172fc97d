"""Response heads."""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

CORS = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, Cache-Control, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
    **CORS,
}
STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    **CORS,
}


@lru_cache(maxsize=2)
def stream_head(chunked: bool, date: int) -> bytes:
    """Return the head of a stream that starts now. `date` is in epoch seconds."""
    coding = {"Transfer-Encoding": "chunked"} if chunked else {}
    return response_head(200, {**STREAM_HEADERS, **coding}, date)


def response_head(status: int, headers: dict[str, str], date: int) -> bytes:
    """Return status line and headers. `date` is the current time in epoch seconds."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Date: {formatdate(date, usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in {**headers, "Connection": "close"}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
