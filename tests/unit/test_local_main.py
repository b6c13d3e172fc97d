"""Errors at the start of a local run are one line each."""

import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local import __main__ as local_main
from local.emulator import Emulator
from local.processes import StartError, answers, free_ports
from local.sign_in import read_settings, relay_environment, sign_in_settings, web_config
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


@pytest.mark.parametrize(
    "arguments", [["-c", "auth"], ["-c", "=x"], ["-c"], ["--auth=cognito"], ["auth=cognito"]], ids=str
)
def test_an_unknown_option_is_an_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        local_main.main(arguments)
    assert stopped.value.code == 2
    assert 'make run ARGS="-c name=value' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("auht=cognito", "setting auht is unknown; did you mean auth?"),
        ("auth=saml", "setting auth must be none, cognito or oidc"),
        ("auth=oidc", "setting oidc_issuer is needed with auth=oidc, and only then"),
    ],
)
def test_an_invalid_setting_is_reported_before_anything_starts(
    setting: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setattr(local_main, "raise_on_sigterm", lambda: None)
    monkeypatch.setattr(local_main, "ROOT", tmp_path)
    assert local_main.main(["-c", setting]) == 1
    assert capsys.readouterr().err.strip() == message


OIDC = {"auth": "oidc", "oidc_issuer": "http://127.0.0.1:9000/realm", "oidc_audience": "calo"}
OUTPUTS = {"UserPoolId": "pool", "UserPoolClientId": "client", "TicketSecret": "arn:secret"}


def test_relay_and_web_app_are_told_about_any_issuer() -> None:
    settings = read_settings(OIDC)
    assert relay_environment(settings, {"TicketSecret": "arn:secret"}, "eu-west-1") == {
        "OIDC_ISSUER": "http://127.0.0.1:9000/realm",
        "OIDC_AUDIENCE": "calo",
        "OIDC_JWKS_URL": "",
        "OIDC_GROUPS_CLAIM": "groups",
        "TICKET_SECRET": "arn:secret",
    }
    config = web_config(settings, {}, "eu-west-1")
    assert config is not None
    assert (config["issuer"], config["clientId"], config["bearer"]) == (
        "http://127.0.0.1:9000/realm", "calo", "id_token",
    )  # fmt: skip


def test_relay_and_web_app_are_told_about_the_user_pool() -> None:
    context = {"auth": "cognito", **sign_in_settings("cognito", "http://127.0.0.1:4566", 8090)}
    settings = read_settings(context)
    assert settings.frontends == ["http://localhost:8090/", "http://127.0.0.1:8090/"]
    environment = relay_environment(settings, OUTPUTS, "eu-west-1")
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/pool"
    assert environment == {
        "OIDC_ISSUER": issuer,
        "OIDC_AUDIENCE": "client",
        "OIDC_JWKS_URL": "http://127.0.0.1:4566/pool/.well-known/jwks.json",
        "OIDC_GROUPS_CLAIM": "cognito:groups",
        "OIDC_SCOPE": "calo/jobs",
        "TICKET_SECRET": "arn:secret",
    }
    config = web_config(settings, OUTPUTS, "eu-west-1")
    assert config is not None
    assert (config["issuer"], config["clientId"], config["hostedUrl"]) == (issuer, "client", "/")


def test_without_sign_in_nobody_is_told_anything() -> None:
    settings = read_settings({})
    assert relay_environment(settings, {}, "eu-west-1") == {}
    assert web_config(settings, {}, "eu-west-1") is None


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
