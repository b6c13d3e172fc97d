"""Which URLs and addresses may be asked."""

import pytest

from functions.common.http.addresses import is_public
from functions.common.http.destinations import Destinations, NotAllowed


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/", "http://stranger.test/", "ftp://local.test:8000/",
        "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://localhost/", "https://a.localhost/",
        "https://LOCALHOST./", "https://printer.local/", "https://metadata.google.internal/",
        "https://169.254.169.254/latest/meta-data/", "https://[x/", "https:///",
        "http://user@local.test:8000/", "https://a:99999/", "//local.test:8000/", "",
    ],
)  # fmt: skip
def test_a_url_that_may_not_be_posted_to(url: str) -> None:
    with pytest.raises(NotAllowed):
        Destinations(private=frozenset(["local.test:8000"])).require_public(url)


@pytest.mark.parametrize(
    ("url", "is_public"),
    [
        ("https://stranger.test/", True),
        ("https://stranger.test:8443/hook?x=1", True),
        ("https://8.8.8.8/", True),
        ("http://local.test:8000/hook", False),
        ("https://local.test:8000", False),
    ],
)
def test_a_url_that_may_be_posted_to(url: str, is_public: bool) -> None:
    assert Destinations(private=frozenset(["local.test:8000"])).require_public(url) is is_public


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "100.64.0.1", "192.0.0.1", "::", "::1", "fe80::1%eth0", "fd00::1", "ff02::1",
     "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "fd00:ec2::254",
     "2001:0:4136:e378:8000:63bf:f5ff:fffe"],
)  # fmt: skip
def test_an_address_that_is_not_on_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.1.181", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_on_the_internet(address: str) -> None:
    assert is_public(address)
