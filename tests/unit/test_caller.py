import pytest

from functions.common.caller import caller_digest, client_network


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("192.0.2.01", None),
        ("192.0.2", None),
        ("192.0.2.1\0", None),
        ("unknown", None),
        ("\udc80", None),
        ("", None),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, network: str | None) -> None:
    assert client_network(address) == network


def test_the_digest_hides_the_address_and_depends_on_the_salt() -> None:
    digest = caller_digest("192.0.2.1", "a")
    assert (len(digest), digest) == (16, caller_digest("::ffff:192.0.2.1", "a"))
    assert len({digest, caller_digest("192.0.2.2", "a"), caller_digest("192.0.2.1", "b")}) == 3
    assert "192" not in digest
