"""A stand-in for an OpenID Connect issuer. It can sign incorrectly on purpose."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "calo"
HOUR = 3600


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """Return a key, generated once per process for each name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """An issuer with the keys `key_ids`. `fetch` answers what its server would, and counts."""

    def __init__(self, url: str = "https://issuer.test", key_ids: tuple[str, ...] = ("k1",)) -> None:
        self.url = url
        self.key_ids = list(key_ids)
        self.fetched: list[str] = []

    @property
    def keys(self) -> dict[str, Any]:
        """Return the JSON Web Key Set."""
        return {
            "keys": [
                {**RSAAlgorithm.to_jwk(key(name).public_key(), as_dict=True), "kid": name, "use": "sig"}
                for name in self.key_ids
            ]
        }

    @property
    def discovery(self) -> dict[str, Any]:
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def fetch(self, url: str) -> Any:
        """Return the document at a URL. Raises OSError if there is none."""
        self.fetched.append(url)
        documents = {"/.well-known/openid-configuration": self.discovery, "/keys": self.keys}
        path = url.removeprefix(self.url)
        if path not in documents:
            raise OSError(f"{url}: not found")
        return documents[path]

    def token(self, subject: str = "ann", *, key_id: str = "k1", **claims: Any) -> str:
        """Return a token for a subject. `claims` replace the usual ones; those that are None are left out."""
        return self.sign(self.claims(subject, **claims), key(key_id), key_id)

    def claims(self, subject: str = "ann", **claims: Any) -> dict[str, Any]:
        now = time.time()
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": int(now), "exp": int(now) + HOUR}
        return {name: value for name, value in {**usual, **claims}.items() if value is not None}

    @staticmethod
    def sign(claims: dict[str, Any], private_key: Any, key_id: str = "k1", algorithm: str = "RS256") -> str:
        return jwt.encode(claims, private_key, algorithm, {"kid": key_id})

    def operator_token(self, subject: str = "olga") -> str:
        return self.token(subject, groups=["operators"])

    @contextmanager
    def serve(self) -> Iterator["Issuer"]:
        """Serve the documents on a free port of the loopback address, which becomes the issuer's URL."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    body, status = json.dumps(issuer.fetch(issuer.url + self.path)).encode(), 200
                except OSError as error:
                    body, status = str(error).encode(), 404
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _unsigned(issuer: Issuer) -> str:
    return f"{_encode({'alg': 'none', 'typ': 'JWT', 'kid': 'k1'})}.{_encode(issuer.claims())}."


def _signed_with_public_key(issuer: Issuer) -> str:
    """Return a token whose HMAC is made with the public key as the shared secret."""
    pem = key("k1").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = f"{_encode({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{_encode(issuer.claims())}"
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(algorithm.sign(head.encode(), pem)).decode().rstrip("=")
    return f"{head}.{signature}"


def _tampered(issuer: Issuer) -> str:
    head, _, signature = issuer.token("ann").split(".")
    return f"{head}.{_encode(issuer.claims('bob'))}.{signature}"


BAD_TOKENS: dict[str, Callable[[Issuer], str]] = {
    "garbage": lambda _: "garbage",
    "three dots": lambda _: "...",
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 1),
    "without expiry": lambda issuer: issuer.token(exp=None),
    "expiry that is not a time": lambda issuer: issuer.token(exp="never"),
    "not yet valid": lambda issuer: issuer.token(nbf=int(time.time()) + HOUR),
    "issued in the future": lambda issuer: issuer.token(iat=int(time.time()) + HOUR),
    "other issuer": lambda issuer: issuer.token(iss="https://other.test"),
    "without issuer": lambda issuer: issuer.token(iss=None),
    "other audience": lambda issuer: issuer.token(aud="other"),
    "other audiences": lambda issuer: issuer.token(aud=["other", "calo2"]),
    "other client": lambda issuer: issuer.token(aud=None, client_id="other"),
    "without audience": lambda issuer: issuer.token(aud=None),
    "refresh token": lambda issuer: issuer.token(token_use="refresh"),
    "no subject": lambda issuer: issuer.token(sub=None),
    "empty subject": lambda issuer: issuer.token(sub=""),
    "subject that is not text": lambda issuer: issuer.token(sub=7),
    "other key": lambda issuer: issuer.sign(issuer.claims(), key("other"), "k1"),
    "unknown key id": lambda issuer: issuer.token(key_id="unknown"),
    "alg none": _unsigned,
    "HMAC with the public key": _signed_with_public_key,
    "tampered": _tampered,
}
"""Tokens that must be refused, by what is wrong with them."""
