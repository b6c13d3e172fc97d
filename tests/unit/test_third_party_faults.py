"""The worker with a faulty Unsplash: each fault causes a clear error or a retry in bounded time.

Other jobs of the batch are not affected.
"""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from functions.common.http.download import HttpResponse
from functions.common.job import Job
from functions.job_worker.context import StoredFiles, UntrustedHttp
from kinds.photo import KIND
from tests.unit.fakes import Workbench

SECONDS = 2
"""The deadline of each exchange in seconds; in production it is ten."""
JPEG = b"\xff\xd8\xff" + bytes(100) + b"\xff\xd9"
Reply = Callable[[BaseHTTPRequestHandler], None]


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def photos(image: str = "good") -> Reply:
    """Return a list with one photo, whose images are at /image/<image>."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        reply(body=json.dumps([photo(handler, image)]).encode())(handler)

    return send


def photo(handler: BaseHTTPRequestHandler, image: str) -> dict[str, Any]:
    url = f"http://{handler.headers['Host']}/image/{image}"
    page = {"html": "https://unsplash.com/x"}
    user = {"name": "Ann", "links": page}
    urls = {"small": url, "regular": url}
    return {"id": image, "width": 4, "height": 3, "urls": urls, "links": page, "user": user}


def one_object(handler: BaseHTTPRequestHandler) -> None:
    body = {**photo(handler, "good"), "id": "object"}  # moto cannot store a file twice at once
    reply(body=json.dumps(body).encode())(handler)


def slow_drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b"[")
        time.sleep(0.05)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):  # 200 MB, unless the reader has had enough
        handler.wfile.write(JPEG[:3] + bytes(1_000_000))


def silence(_: BaseHTTPRequestHandler) -> None:
    time.sleep(15 * SECONDS)


API: dict[str, Reply] = {
    "good": photos(),
    "object": one_object,
    "drip": slow_drip,
    "endless": endless,
    "silent": silence,
    "truncated": reply(body=b'[{"id": "half'),
    "page": reply(body=b"<h1>Welcome</h1>"),
    "broken": reply(500),
    "elsewhere": reply(302, Location="http://169.254.169.254/latest/meta-data"),
    "forbidden": reply(403, b'{"errors": ["no"]}'),
    "large image": photos("endless"),
    "page for image": photos("page"),
    "image elsewhere": photos("elsewhere"),
    "image that drips": photos("drip"),
    "no image": photos("broken"),
}
IMAGES: dict[str, Reply] = {**API, "good": reply(body=JPEG)}


class Hostile(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = parts.path.removeprefix("/image/")
        try:
            if name == parts.path:
                API[parse_qs(parts.query)["query"][0]](self)
            else:
                IMAGES[name](self)
        except (BrokenPipeError, ConnectionResetError):
            if name == "endless":
                cut_off.set()

    def log_message(self, format: str, *args: Any) -> None:
        pass


cut_off = Event()


class HastyHttp(UntrustedHttp):
    """Has a shorter deadline than the kind asks for."""

    def get(self, url: str, headers: dict[str, str] | None = None, **options: Any) -> HttpResponse:
        return super().get(url, headers, **{**options, "seconds": SECONDS})

    def save(self, url: str, file: IO[bytes], **options: Any) -> HttpResponse:
        return super().save(url, file, **{**options, "seconds": SECONDS})


@pytest.fixture
def hostile(bench: Workbench, aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """Return a workbench whose worker uses the faulty server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="images")
        monkeypatch.setenv("UNSPLASH_API_URL", f"http://{host}")
        monkeypatch.setenv("IMAGE_HOSTS", host)
        files = StoredFiles(s3, "images", "https://cdn.test", "images/photo/")
        bench.use(KIND, files=files, http=HastyHttp())
        yield bench
        server.shutdown()


def outcome(hostile: Workbench, topic: str) -> tuple[str, Job]:
    """Process a batch of a good job and a job for `topic`. Return the latter and its outcome."""
    good, other = hostile.add("good", topic)
    redelivered = hostile.work()
    resolved = [body["job_id"] for body in hostile.queues.results.bodies()]
    failed = {body["job_id"]: body["code"] for body in hostile.queues.dead_letters.bodies()}
    assert good.id in resolved
    if other.id in resolved:
        return "resolved", other
    return failed.get(other.id, "again" if redelivered else "lost"), other


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("object", "resolved"),
        ("forbidden", "forbidden"),
        *((topic, "again") for topic in API if topic not in ("good", "object", "forbidden")),
    ],
)
def test_no_fault_of_the_third_party_affects_the_other_job(
    hostile: Workbench, topic: str, expected: str
) -> None:
    begin = time.monotonic()
    assert outcome(hostile, topic)[0] == expected
    assert time.monotonic() - begin < 6 * SECONDS  # it waits for neither drip nor silence to end


def test_an_endless_body_is_not_read_to_the_end(hostile: Workbench) -> None:
    cut_off.clear()
    assert outcome(hostile, "large image")[0] == "again"
    assert cut_off.wait(60)
