"""A server like Unsplash that fails in bursts, on a seeded schedule, and has a small budget."""

import gzip
import io
import random
import time
from collections import Counter
from collections.abc import Callable

from aiohttp import web
from PIL import Image

from tests.chaos.server import Server

CALM_SECONDS = (2.0, 5.0)
BURST_SECONDS = (0.5, 2.0)
TRUNCATED_IMAGES = 0.05


class ThirdParty(Server):
    """`limit` requests are allowed per `window` seconds.

    `counts` says how often it was called and how it responded. While `calm` is true it does not fail.
    """

    def __init__(self, seed: int, *, limit: int, window: float) -> None:
        super().__init__(web.get("/photos/random", self._random_photos), web.get("/images/{id}", self._image))
        self._random = random.Random(seed)
        self._limit = limit
        self._window = window
        self._window_end = 0.0
        self._spent = 0
        self._photos = 0
        self._burst = (0.0, 0.0)
        self._faults: list[Callable[[], web.Response]] = [
            self._server_error,
            self._truncated_json,
            self._unexpected_json,
        ]
        self.counts: Counter[str] = Counter()
        self.calm = False
        picture = io.BytesIO()
        Image.new("RGB", (32, 24), (180, 120, 60)).save(picture, "JPEG")
        self.picture = picture.getvalue()

    def _in_burst(self) -> bool:
        """Return whether a burst of failures is in progress."""
        now = time.monotonic()
        begin, end = self._burst
        if now > end:
            begin = now + self._random.uniform(*CALM_SECONDS)
            self._burst = begin, begin + self._random.uniform(*BURST_SECONDS)
        return not self.calm and begin <= now <= end

    async def _random_photos(self, request: web.Request) -> web.Response:
        self.counts["requests"] += 1
        self.counts["cookies sent back"] += "Cookie" in request.headers
        now = time.monotonic()
        if now >= self._window_end:
            self._window_end, self._spent = now + self._window, 0
        if self._spent >= self._limit:
            self.counts["over budget"] += 1
            return web.Response(status=403, text="Rate Limit Exceeded")
        self._spent += 1
        if self._in_burst():
            self.counts["failed requests"] += 1
            return self._random.choice(self._faults)()
        photos = [self._photo() for _ in range(int(request.query["count"]))]
        remaining = {
            "X-Ratelimit-Limit": str(self._limit),
            "X-Ratelimit-Remaining": str(self._limit - self._spent),
        }
        response = web.json_response(photos, headers=remaining)
        for number in range(3):
            response.set_cookie(f"c{number}", "x" * 3000)
        self.counts["answers with cookies"] += 1
        return response

    async def _image(self, request: web.Request) -> web.StreamResponse:
        self.counts["cookies sent back"] += "Cookie" in request.headers
        if self._in_burst():
            self.counts["failed images"] += 1
            return self._random.choice([self._server_error, self._html])()
        if not self.calm and self._random.random() < TRUNCATED_IMAGES:
            self.counts["truncated images"] += 1
            return await self._truncated_image(request)
        return web.Response(body=self.picture, content_type="image/jpeg")

    async def _truncated_image(self, request: web.Request) -> web.StreamResponse:
        """Send half of the picture: as if that were all, or less than announced."""
        half = self.picture[: len(self.picture) // 2]
        way = self._random.randrange(3)
        if way == 0:
            return web.Response(body=half, content_type="image/jpeg")
        if way == 1:
            packed = gzip.compress(self.picture)[:-20]
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"}, content_type="image/jpeg")
        response = web.StreamResponse(headers={"Content-Length": str(len(self.picture))})
        await response.prepare(request)
        await response.write(half)
        if request.transport is not None:
            request.transport.close()
        return response

    def _photo(self) -> dict[str, object]:
        self._photos += 1
        name = f"photo-{self._photos}"
        page = {"html": f"https://unsplash.com/photos/{name}"}
        image = f"{self.url}/images/{name}"
        return {
            "id": name,
            "width": 32,
            "height": 24,
            "urls": {"small": image, "regular": image},
            "links": page,
            "user": {"name": "Chaos", "links": page},
        }

    def _server_error(self) -> web.Response:
        return web.Response(status=self._random.choice([500, 502, 503]))

    def _truncated_json(self) -> web.Response:
        return web.Response(text='[{"id": "half', content_type="application/json")

    def _unexpected_json(self) -> web.Response:
        return web.json_response({"surprise": True})

    def _html(self) -> web.Response:
        return web.Response(text="<h1>hello</h1>", content_type="text/html")
