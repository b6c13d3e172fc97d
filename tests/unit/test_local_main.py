"""Errors at the start of a local run are one line each."""

import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.exceptions import ClientError

from local import __main__ as local_main
from local.emulator import Emulator
from local.processes import StartError, answers, free_ports
from local.system import ThirdParty


@pytest.mark.parametrize("port", ["80x", "abc", "80000", "0", "-1", "", "8080.5"])
def test_an_invalid_port_is_reported_in_one_line(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", port)
    monkeypatch.setattr(local_main, "raise_on_sigterm", lambda: None)
    assert local_main.main() == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == f"PORT must be a number from 1 to 65535, not {port!r}, like: make run PORT=8090"


@pytest.mark.parametrize("url", ["foo", "localhost:9000", "ftp://x", "http://", "http://[", "http://h:9x"])
def test_an_invalid_third_party_url_is_reported_in_one_line(url: str) -> None:
    with pytest.raises(StartError, match=r"UNSPLASH_API_URL must be a URL like http://localhost:9000, not"):
        ThirdParty.from_environment({"UNSPLASH_API_URL": url}, 1)


def test_the_users_aws_profile_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "doesnotexist")
    client = Emulator("http://127.0.0.1:1", region="eu-west-1").client("sts")
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"


def test_loopback_requests_ignore_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment could not reach this machine's own ports."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            self.send_response(403)
            self.end_headers()
            self.wfile.write(b"<ErrorResponse><Error><Code>Denied</Code></Error></ErrorResponse>")

        def log_message(self, *_: object) -> None:
            """Do not log."""

    (closed,) = free_ports(1)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert answers(url)
        with pytest.raises(ClientError, match="Denied"), closing(Emulator(url).client("sts")) as sts:
            sts.get_caller_identity()
        server.shutdown()
