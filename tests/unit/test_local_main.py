"""Mistakes at the start of a local run are one line each."""

import pytest

from local import __main__ as local_main
from local.emulator import Emulator
from local.processes import StartError
from local.system import ThirdParty


@pytest.mark.parametrize("port", ["80x", "abc", "80000", "0", "-1", "", "8080.5"])
def test_a_wrong_port_is_one_line(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", port)
    monkeypatch.setattr(local_main, "end_in_order", lambda: None)
    assert local_main.main() == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == f"PORT must be a number from 1 to 65535, not {port!r}, like: make run PORT=8090"


@pytest.mark.parametrize("url", ["foo", "localhost:9000", "ftp://x", "http://", "http://[", "http://h:9x"])
def test_a_wrong_address_of_the_third_party_is_one_line(url: str) -> None:
    with pytest.raises(StartError, match=r"UNSPLASH_API_URL must be a URL like http://localhost:9000, not"):
        ThirdParty.from_environment({"UNSPLASH_API_URL": url}, 1)


def test_the_callers_profile_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "doesnotexist")
    client = Emulator("http://127.0.0.1:1", region="eu-west-1").client("sts")
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
