"""`calo login`: sign in with a device code, or in the browser with PKCE, at the deployment's issuer.

https://www.rfc-editor.org/rfc/rfc8628 (device code)
https://www.rfc-editor.org/rfc/rfc8252 (return to the loopback address)
"""

import argparse
import base64
import hashlib
import secrets
import sys
import time
import webbrowser
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

from calo import tokens
from calo.client import Calo
from calo.connection import LOOPBACK
from calo.errors import CommandError, NotSignedIn, Unreachable
from calo.tokens import EARLY_SECONDS, StoredTokens

CALLBACK = "http://localhost:8976/"
"""The address to which the issuer's page returns. It must be registered there."""
WAIT_SECONDS = 300
"""How long a person may take."""
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DONE = b"<!doctype html><title>Calo</title><p>You are signed in. You can close this window."


@dataclass(frozen=True)
class Provider:
    """Where to sign in. `device_url` is empty if the issuer has no device codes."""

    authorize_url: str
    token_url: str
    device_url: str
    client_id: str
    scope: str
    bearer: str


def login(calo: Calo, options: argparse.Namespace) -> int:
    """Sign in, and keep the tokens in the system's keyring."""
    with _http(calo.url) as http:
        provider = find_provider(http, calo.url, options.issuer, options.client_id)
        request = _by_device if provider.device_url and not options.browser else _in_browser
        answer = request(http, provider)
    empty = StoredTokens("", 0, None, provider.token_url, provider.client_id, provider.bearer)
    tokens.save(calo.url, StoredTokens.read(answer, empty))
    print(f"signed in to {calo.url}", file=sys.stderr)
    return 0


def logout(calo: Calo, _: argparse.Namespace) -> int:
    """Forget the tokens."""
    there_were_some = tokens.forget(calo.url)
    print("signed out" if there_were_some else "you were not signed in", file=sys.stderr)
    return 0


def current_token(url: str) -> str | None:
    """Return the token of an earlier `calo login`, renewed if it expires soon, or None.

    Raises NotSignedIn if it cannot be renewed.
    """
    stored = tokens.load(url)
    if stored is None or stored.expires_at > time.time() + EARLY_SECONDS:
        return stored.bearer if stored else None
    if not stored.refresh_token:
        raise NotSignedIn({"detail": "you are no longer signed in; run: calo login"}, 401)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": stored.refresh_token,
        "client_id": stored.client_id,
    }
    with _http(stored.token_url) as http:
        response = _post(http, stored.token_url, form)
    if response.status_code in (400, 401):
        raise NotSignedIn({"detail": "you are no longer signed in; run: calo login"}, 401)
    renewed = StoredTokens.read(_json(response), stored)
    tokens.save(url, renewed)
    return renewed.bearer


def find_provider(http: httpx.Client, url: str, issuer: str | None, client_id: str | None) -> Provider:
    """Return where the API at a URL lets people sign in: as its web app says, or as given.

    Raises CommandError if that is not known.
    """
    site = url.removesuffix("/api") + "/"
    config = _get(http, urljoin(site, "config.json"), required=False).get("signIn")
    if config is None and not (issuer and client_id):
        raise CommandError(
            f"{url} has no sign-in, or its web app is elsewhere: give --issuer and --client-id"
        )
    config = {**(config or {"hostedUrl": "", "scope": "openid email profile", "bearer": "id_token"})}
    config |= {"issuer": issuer, "hostedUrl": ""} if issuer else {}
    config |= {"clientId": client_id} if client_id else {}
    if config["hostedUrl"]:  # Cognito's page
        hosted = urljoin(site, config["hostedUrl"])
        endpoints = (urljoin(hosted, "/oauth2/authorize"), urljoin(hosted, "/oauth2/token"), "")
    else:
        document = _get(http, config["issuer"].rstrip("/") + "/.well-known/openid-configuration")
        names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")
        endpoints = tuple(str(document.get(name, "")) for name in names)  # type: ignore[assignment]
    return Provider(*endpoints, config["clientId"], config["scope"], config["bearer"])


def _by_device(http: httpx.Client, provider: Provider) -> dict[str, Any]:
    """Let the person enter a code on any device, and wait for that."""
    form = {"client_id": provider.client_id, "scope": provider.scope}
    answer = _json(_post(http, provider.device_url, form))
    address = answer.get("verification_uri_complete") or answer["verification_uri"]
    print(f"open {address} and enter the code {answer['user_code']}", file=sys.stderr, flush=True)
    pause = float(answer.get("interval", 5))
    deadline = time.monotonic() + float(answer.get("expires_in", WAIT_SECONDS))
    while time.monotonic() < deadline:
        time.sleep(pause)
        poll = {"grant_type": GRANT, "device_code": answer["device_code"], "client_id": provider.client_id}
        response = _post(http, provider.token_url, poll)
        error = _json(response).get("error") if response.status_code == 400 else None
        if error == "slow_down":
            pause += 5
        elif error != "authorization_pending":
            return _tokens(response)
    raise CommandError("the code was not entered in time")


def _in_browser(http: httpx.Client, provider: Provider) -> dict[str, Any]:
    """Open the issuer's page, and wait until it returns to a server on the loopback address."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": provider.client_id, "redirect_uri": CALLBACK, "response_type": "code", "state": state,
        "scope": provider.scope, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    code = _wait_for_code(f"{provider.authorize_url}?{urlencode(query)}", state)
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
        "client_id": provider.client_id, "code_verifier": verifier,
    }  # fmt: skip
    return _tokens(_post(http, provider.token_url, form))


def _wait_for_code(page: str, state: str) -> str:
    """Open a page, and return the code with which it comes back. Raises CommandError."""
    answers: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if query.get("state") == [state]:
                answers.append(query)
            self.send_response(200 if query.get("state") == [state] else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(DONE if "code" in query else b"")

        def log_message(self, *_: object) -> None:
            """Log nothing: the address has the code."""

    try:
        server = HTTPServer(("127.0.0.1", urlsplit(CALLBACK).port or 0), Handler)
    except OSError as error:
        raise CommandError(f"{CALLBACK} is in use: {error}") from error
    with server:
        print(f"opening {page}", file=sys.stderr, flush=True)
        webbrowser.open(page)
        server.timeout = 1
        deadline = time.monotonic() + WAIT_SECONDS
        while not answers and time.monotonic() < deadline:
            server.handle_request()
    if not answers:
        raise CommandError("the sign-in was not completed in time")
    if "code" not in answers[0]:
        raise CommandError(f"the sign-in was refused: {answers[0].get('error', ['?'])[0]}")
    return answers[0]["code"][0]


def _tokens(response: httpx.Response) -> dict[str, Any]:
    answer = _json(response)
    if response.status_code != 200:
        raise CommandError(f"the sign-in was refused: {answer.get('error')}")
    return answer


def _http(url: str) -> httpx.Client:
    return httpx.Client(timeout=30, trust_env=urlsplit(url).hostname not in LOOPBACK, follow_redirects=True)


def _get(http: httpx.Client, url: str, *, required: bool = True) -> dict[str, Any]:
    try:
        response = http.get(url)
    except httpx.HTTPError as error:
        raise Unreachable(f"{url} cannot be reached: {error}") from error
    if response.status_code != 200 and not required:
        return {}
    return _json(response)


def _post(http: httpx.Client, url: str, form: dict[str, str]) -> httpx.Response:
    try:
        return http.post(url, data=form)
    except httpx.HTTPError as error:
        raise Unreachable(f"{url} cannot be reached: {error}") from error


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CommandError(f"{response.url} answered with {response.status_code} and no JSON object")
    return value
