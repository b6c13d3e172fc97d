"""A request: its head and what it asks for, read into plain values or refused with the reason."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import httptools

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers: a hundred ids take under four thousand, API Gateway lets ten through."""
MAX_FIELDS = 200
MAX_NAMED = 100
BAD_CURSOR = -1
END_OF_HEAD = b"\r\n\r\n"


class Refused(Exception):
    """The request is answered with this status; says what to send instead, and which field is wrong."""

    def __init__(
        self, status: int, detail: str, *, field: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for. Header names are lower case; `query` has each name's values in order."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    chunked: bool
    """Does the client know chunks, as HTTP/1.1 says?"""


class _Head:
    """What the parser tells."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Repeated lines are one list: https://www.rfc-editor.org/rfc/rfc9110#section-5.3"""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text


def parse_head(head: bytes) -> Request:
    """Read all up to the empty line. Raises Refused."""
    told = _Head()
    parser = httptools.HttpRequestParser(told)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # an upgrade may be declined by answering as if it had not been asked for
    except httptools.HttpParserError as error:
        raise Refused(400, "this is no HTTP/1.1 request") from error
    version = parser.get_http_version()
    if version not in ("1.0", "1.1"):
        raise Refused(400, "this is no HTTP/1.1 request")
    if version == "1.1" and "host" not in told.headers:
        raise Refused(400, "the Host header is missing")
    if "," in told.headers.get("host", ""):
        raise Refused(400, "there must be one Host header")
    try:
        url = told.url.decode("ascii")
        if url.startswith("/"):
            path, _, query = url.partition("?")
        else:  # a whole address, as one sends to a proxy
            path, query = (parts := urlsplit(url)).path, parts.query
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=MAX_FIELDS) if query else {}
    except ValueError as error:
        raise Refused(400, f"the query must be ASCII, with at most {MAX_FIELDS} fields") from error
    method = parser.get_method().decode("ascii")
    return Request(method, unquote(path), fields, told.headers, version == "1.1")


def client_address(request: Request, peer: str, *, trusted_proxies: int = 0, address_header: str = "") -> str:
    """Return whose streams these are; the peer itself where no proxy says who it is.

    With `address_header` (lower case) only that header counts. The proxy in front replaces what a client
    sends in it; should it add to it instead, the last value is the proxy's. With `trusted_proxies` it is what
    the outermost of them saw.
    """
    header = address_header or ("x-forwarded-for" if trusted_proxies else "")
    values = [part.strip() for part in request.headers.get(header, "").split(",") if part.strip()]
    if not values:
        return peer
    return values[-1] if address_header else values[-min(trusted_proxies, len(values))]


def named_jobs(request: Request) -> frozenset[str] | None:
    """The ids in `job=` (repeated, or with commas between), None if there is none. Raises Refused."""
    if "job" not in request.query:
        return None
    texts = [text for value in request.query["job"] for text in value.split(",") if text]
    if not 1 <= len(texts) <= MAX_NAMED:
        raise Refused(400, f"job: must name 1 to {MAX_NAMED} jobs", field="job")
    try:
        return frozenset(str(UUID(text)) for text in texts)
    except ValueError as error:
        raise Refused(400, "job: must be UUIDs, with commas between", field="job") from error


def parse_cursor(request: Request) -> int | None:
    """Where to resume (epoch ms), None if the client is new, BAD_CURSOR if it cannot be read."""
    text = request.headers.get("last-event-id") or request.query.get("lastEventId", [""])[0]
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else BAD_CURSOR
