"""`calo login`: by device code and in the browser, and the tokens that it keeps."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from calo import login, tokens
from calo.__main__ import main
from calo.errors import CommandError, NotSignedIn

HOUR = 3600


class MemoryKeyring(KeyringBackend):
    """Keeps passwords in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class Site:
    """The web app's configuration, an issuer, and an API that requires its token."""

    def __init__(self) -> None:
        self.url = ""
        self.has_devices = True
        self.pending = 1
        """How often the token endpoint says that the code has not been entered yet."""
        self.forms: list[dict[str, str]] = []
        self.refresh_status = 200
        self.lifetime = HOUR
        self.challenges: dict[str, str] = {}

    def get(self, path: str, query: dict[str, str], token: str | None) -> tuple[int, Any]:
        if path == "/config.json":
            sign_in = {
                "issuer": f"{self.url}/realm",
                "clientId": "web",
                "scope": "openid",
                "hostedUrl": "",
                "bearer": "id_token",
            }
            return 200, {"apiUrl": "/api", "signIn": sign_in}
        if path == "/realm/.well-known/openid-configuration":
            devices = {"device_authorization_endpoint": f"{self.url}/device"} if self.has_devices else {}
            return 200, {
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                **devices,
            }
        if path == "/authorize":  # a person who signs in at once
            self.challenges["the-code"] = query["code_challenge"]
            answer = urlencode({"code": "the-code", "state": query["state"]})
            urlopen(f"{query['redirect_uri']}?{answer}").close()
            return 200, {}
        if path == "/api/kinds":
            return 200, {"data": []}
        return (
            (200, {"data": [], "next_cursor": None})
            if token == "Bearer fresh"
            else (401, {"detail": "sign in"})
        )

    def post(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        self.forms.append(form)
        if path == "/device":
            return 200, {
                "device_code": "d",
                "user_code": "ABCD",
                "verification_uri": "https://id.test/go",
                "interval": 0,
            }
        if form.get("device_code") and self.pending:
            self.pending -= 1
            return 400, {"error": "authorization_pending"}
        if form["grant_type"] == "refresh_token" and self.refresh_status != 200:
            return self.refresh_status, {"error": "invalid_grant"}
        if "code_verifier" in form:
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != self.challenges[form["code"]]:
                return 400, {"error": "invalid_grant"}
        return 200, {
            "id_token": "fresh",
            "access_token": "other",
            "refresh_token": "r",
            "expires_in": self.lifetime,
        }


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._send(*site.get(parts.path, query, self.headers["Authorization"]))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(*site.post(urlsplit(self.path).path, form))

        def _send(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("CALO_URL", site.url)
    monkeypatch.delenv("CALO_TOKEN", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def memory_keyring() -> Iterator[MemoryKeyring]:
    previous = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(previous)


def test_by_device_code(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs"]) == 2
    assert "sign in" in capsys.readouterr().err
    assert main(["login"]) == 0
    assert "open https://id.test/go and enter the code ABCD" in capsys.readouterr().err
    assert site.forms[-1] == {"grant_type": login.GRANT, "device_code": "d", "client_id": "web"}
    assert main(["jobs"]) == 0
    assert main(["logout"]) == 0
    assert main(["jobs"]) == 2


def test_in_the_browser_with_pkce(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_page(page: str) -> None:
        threading.Thread(target=lambda: urlopen(page).close(), daemon=True).start()

    site.has_devices = False
    monkeypatch.setattr("webbrowser.open", open_page)
    assert main(["login"]) == 0
    assert site.forms[-1]["code"] == "the-code"
    assert main(["jobs"]) == 0


def test_an_answer_with_another_state_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "WAIT_SECONDS", 0.5)
    foreign = lambda _: threading.Thread(target=_open_foreign, daemon=True).start()  # noqa: E731
    monkeypatch.setattr("webbrowser.open", foreign)
    with pytest.raises(CommandError, match="the sign-in was not completed in time"):
        login._wait_for_code("https://id.test", "mine")


def _open_foreign() -> None:
    try:
        urlopen(f"{login.CALLBACK}?code=theirs&state=other").close()
    except OSError:
        return


def test_a_token_is_renewed_before_it_expires(site: Site) -> None:
    site.lifetime = 30
    assert main(["login"]) == 0
    count = len(site.forms)
    assert main(["jobs"]) == 0
    assert [form["grant_type"] for form in site.forms[count:]] == ["refresh_token"]


def test_a_session_that_has_ended_says_so(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.lifetime, site.refresh_status = 30, 400
    assert main(["login"]) == 0
    assert main(["jobs"]) == 2
    assert "you are no longer signed in; run: calo login" in capsys.readouterr().err
    with pytest.raises(NotSignedIn):
        login.current_token(f"{site.url}/api")


def test_a_token_of_the_environment_is_used_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["login"]) == 0
    monkeypatch.setenv("CALO_TOKEN", "mine")
    assert main(["jobs"]) == 2
    assert site.forms


def test_tokens_are_kept_for_each_api(site: Site, memory_keyring: MemoryKeyring) -> None:
    assert main(["login"]) == 0
    assert list(memory_keyring.entries) == [("calo", f"{site.url}/api")]
    assert tokens.load("https://other.test/api") is None
    memory_keyring.entries["calo", "https://other.test/api"] = "damaged"
    assert tokens.load("https://other.test/api") is None


@pytest.mark.usefixtures("site")
def test_without_a_keyring_the_message_names_the_variable(capsys: pytest.CaptureFixture[str]) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    assert main(["login"]) == 2
    assert "put a token into CALO_TOKEN instead" in capsys.readouterr().err
    assert main(["kinds"]) == 0
