"""The worker's memory at its limits: ten downloads at a time of the largest images, answers and bombs.

The worker's own code runs in a separate process, against a server that plays the third party and S3.
"""

import gzip
import http.server
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import boto3
from botocore.config import Config

from functions.common.errors import WorkError
from functions.job_worker import handler  # noqa: F401  # its code is in memory, too
from functions.job_worker.context import StoredFiles, UntrustedHttp
from kinds.photo import Photo, Photographer
from kinds.photo.find_photos import MAX_PARALLEL
from kinds.photo.images import MAX_IMAGE, StoredImages
from kinds.photo.unsplash import MAX_RESPONSE, Unsplash

MEMORY_MB = 512
"""The function's size: a test compares it with infra."""
CHUNK = 256 * 1024
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def measure() -> None:
    """Print the peak memory of each case and the size of the function."""
    server = _Server(("127.0.0.1", 0), _ThirdParty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("\nPeak memory of the worker at its limits, in MB\n")
    print(f"{'':62}{'process':>9}{'function':>9}")
    try:
        for case, title in CASES.items():
            command = [sys.executable, "-m", "bench.worker_bounds", case, f"127.0.0.1:{server.server_port}"]
            output = subprocess.run(
                command,
                env={**os.environ, **CREDENTIALS},
                check=True,
                capture_output=True,
                text=True,
                timeout=120,
            ).stdout
            print(f"{title:62}{int(output):>9}{MEMORY_MB:>9}")
    finally:
        server.shutdown()
        server.server_close()


CASES = {
    "start": "after its start",
    "images": f"{MAX_PARALLEL} images of {MAX_IMAGE // 10**6} MB at a time",
    "answers": f"{MAX_PARALLEL} answers of {MAX_RESPONSE // 10**6} MB at a time",
    "bombs": f"{MAX_PARALLEL} answers compressed three times, 1 GB each",
}


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: the worker resets connections whose answers it refuses."""


class _ThirdParty(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with suppress(ConnectionError):
            if self.path.startswith("/image"):
                self._send_image()
            elif self.path.startswith("/bombs"):
                self._send(BOMB, {"Content-Encoding": "gzip, gzip, gzip"})
            else:
                self._send(ANSWER, {})

    def do_PUT(self) -> None:
        remaining = int(self.headers["Content-Length"])
        while remaining:
            remaining -= len(self.rfile.read(min(CHUNK, remaining)))
        self._send(b"", {"ETag": '"x"'})

    def _send(self, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_image(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(MAX_IMAGE))
        self.end_headers()
        self.wfile.write(b"\xff\xd8\xff")
        remaining = MAX_IMAGE - 5
        while remaining:
            remaining -= self.wfile.write(bytes(min(CHUNK, remaining)))
        self.wfile.write(b"\xff\xd9")

    def log_message(self, *_: object) -> None:
        pass


ANSWER = json.dumps([{"text": "x" * 90} for _ in range(MAX_RESPONSE // 105)]).encode()
BOMB = gzip.compress(gzip.compress(gzip.compress(bytes(10**7)) * 100))


def _images(host: str) -> Callable[[int], object]:
    s3 = boto3.client("s3", endpoint_url=f"http://{host}", config=Config(s3={"addressing_style": "path"}))
    files = StoredFiles(s3, "images", "https://cdn.test", "images/photo/")
    store = StoredImages(files, UntrustedHttp(), frozenset([host]))
    return lambda number: store.publish(_photo(f"http://{host}/image/{number}", number))


def _answers(host: str, path: str) -> Callable[[int], object]:
    unsplash = Unsplash(f"http://{host}/{path}", lambda: "key", UntrustedHttp())
    return lambda number: unsplash.random_photos(f"topic {number}", 30)


def _photo(url: str, number: int) -> Photo:
    photographer = Photographer(name="Ann", url=url)
    return Photo(
        id=f"p{number}", width=1, height=1, color=None, blur_hash=None, alt=None, small=url, regular=url,
        photographer=photographer, page=url,
    )  # fmt: skip


def _run_case(case: str, host: str) -> None:
    """Run one case in this process, and print the peak memory in MB."""
    work: dict[str, Callable[[int], object]] = {
        "start": lambda _: None,
        "images": _images(host),
        "answers": _answers(host, "answers"),
        "bombs": _answers(host, "bombs"),
    }

    def try_once(number: int) -> None:
        with suppress(WorkError):
            work[case](number)

    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        list(pool.map(try_once, range(2 * MAX_PARALLEL)))
    print(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


if __name__ == "__main__":
    _run_case(sys.argv[1], sys.argv[2])
