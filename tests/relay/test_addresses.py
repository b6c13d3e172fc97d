"""By which address a stream is counted, from the header to the limit."""

import pytest

from functions.sse_relay.admission import Admission, Limits
from functions.sse_relay.http.request import parse_head

PEER = "10.0.0.1"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:5::6]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", PEER),
        ("_hidden", PEER),
        ("192.0.2.1:port", PEER),
        ("[2001:db8::1", "2001:db8::/64"),
        ("192.0.2.256", PEER),
        ("192.0.2.0/24", PEER),
        ("x" * 1000, PEER),
        ("", PEER),
    ],
)
@pytest.mark.parametrize(
    ("limits", "header"),
    [
        (Limits(trusted_proxies=1), "X-Forwarded-For: 203.0.113.9, "),
        (Limits(address_header="x-real-ip"), "X-Real-Ip: "),
    ],
)
def test_clients_behind_a_proxy_are_counted_by_address_or_network(
    limits: Limits, header: str, value: str, address: str
) -> None:
    if not value:
        header = header.removesuffix("203.0.113.9, ")
    request = parse_head(f"GET /live HTTP/1.1\r\nHost: x\r\n{header}{value}\r\n\r\n".encode())
    assert Admission(limits).client_address(request, PEER) == address
