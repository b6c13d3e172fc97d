"""A request: its head parsed into plain values, or refused with a reason."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import httptools

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers. 100 job ids take under 4,000; API Gateway accepts 10,240."""
MAX_FIELDS = 200
END_OF_HEAD = b"\r\n\r\n"


class Refused(Exception):
    """Refuses the request with `status`. `detail` says what to send instead; `field` is the invalid field."""

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
    """A client's request. Header names are lower case; `query` has the values of each name in order."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    chunked: bool
    """The client accepts chunked bodies, which HTTP/1.1 requires and HTTP/1.0 does not have."""


class _Head:
    """Collects what the parser reports."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Join repeated lines into one list: https://www.rfc-editor.org/rfc/rfc9110#section-5.3"""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text


def parse_head(head: bytes) -> Request:
    """Parse everything up to the empty line. Raises Refused."""
    parsed = _Head()
    parser = httptools.HttpRequestParser(parsed)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # an upgrade may be declined by answering as if it had not been requested
    except httptools.HttpParserError as error:
        raise Refused(400, "this is not an HTTP/1.1 request") from error
    version = parser.get_http_version()
    _check_host(version, parsed.headers)
    path, query = _parse_target(parsed.url)
    method = parser.get_method().decode("ascii")
    return Request(method, path, query, parsed.headers, version == "1.1")


def _check_host(version: str, headers: dict[str, str]) -> None:
    """Require HTTP/1.0 or 1.1, and with 1.1 exactly one Host header."""
    if version not in ("1.0", "1.1"):
        raise Refused(400, "this is not an HTTP/1.1 request")
    if version == "1.1" and "host" not in headers:
        raise Refused(400, "the Host header is missing")
    if "," in headers.get("host", ""):
        raise Refused(400, "there must be one Host header")


def _parse_target(target: bytes) -> tuple[str, dict[str, list[str]]]:
    """Return path and query of the request's target."""
    try:
        url = target.decode("ascii")
        if url.startswith("/"):
            path, _, query = url.partition("?")
        else:  # an absolute URL, as sent to a proxy
            path, query = (parts := urlsplit(url)).path, parts.query
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=MAX_FIELDS) if query else {}
    except ValueError as error:
        raise Refused(400, f"the query must be ASCII, with at most {MAX_FIELDS} fields") from error
    return unquote(path), fields


def client_address(request: Request, peer: str, *, trusted_proxies: int = 0, address_header: str = "") -> str:
    """Return the client's address, or `peer` if no proxy reports one.

    With `address_header` (lower case) only that header counts. The proxy in front replaces the value that a
    client sends; if it appends instead, the last value is the proxy's. With `trusted_proxies` the address is
    the one that the outermost of them saw.
    """
    header = address_header or ("x-forwarded-for" if trusted_proxies else "")
    values = [value.strip() for value in request.headers.get(header, "").split(",") if value.strip()]
    if not values:
        return peer
    return values[-1] if address_header else values[-min(trusted_proxies, len(values))]
