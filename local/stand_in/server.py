"""The stand-in's HTTP server: `/photos/random`, images, and counters for tests.

It follows https://unsplash.com/documentation, including the rate limit.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from .photos import new_ids, photo, picture_of

MAX_PHOTOS = 30  # per request
DEFAULT_WIDTH = 1080  # pixels
_AUTHORIZED = re.compile(r"Client-ID\s+\S+")
_CACHE_FOREVER = "public, max-age=31536000, immutable"


@dataclass
class Budget:
    """The remaining requests of a window, which starts with the first request after the previous window."""

    limit: int
    window: float  # seconds
    clock: Callable[[], float]  # seconds
    _remaining: int = 0
    _ends: float = field(default=float("-inf"))

    def spend(self) -> bool:
        """Use one request. Returns False if none remains."""
        now = self.clock()
        if now >= self._ends:
            self._remaining, self._ends = self.limit, now + self.window
        if self._remaining <= 0:
            return False
        self._remaining -= 1
        return True

    @property
    def remaining(self) -> int:
        """Return how many requests remain."""
        return self.limit if self.clock() >= self._ends else self._remaining


class StandIn:
    """The request handlers and their shared state."""

    def __init__(self, *, public_url: str, budget: Budget, latency: float, rng: random.Random) -> None:
        self.public_url = public_url.rstrip("/")
        self.budget = budget
        self.latency = latency
        self.rng = rng
        self.counts = {"api": 0, "images": 0, "limited": 0}

    async def random_photos(self, request: web.Request) -> web.Response:
        """`GET /photos/random?count=&query=`: a list with `count`, else one photo."""
        await asyncio.sleep(self.latency)
        if not _AUTHORIZED.match(request.headers.get("Authorization", "")):
            return self.errors(401, "OAuth error: The access token is invalid")
        self.counts["api"] += 1
        if not self.budget.spend():
            self.counts["limited"] += 1
            return web.Response(status=403, text="Rate Limit Exceeded", headers=self.limits())
        count = request.query.get("count")
        ids = new_ids(request.query.get("query"), parse_count(count), self.rng)
        if not ids:
            return self.errors(404, "No photos found.")
        photos = [photo(photo_id, self.public_url) for photo_id in ids]
        return web.json_response(photos[0] if count is None else photos, headers=self.limits())

    async def image(self, request: web.Request) -> web.Response:
        """`GET /images/<id>.webp?w=`: the picture in one of its two sizes."""
        try:
            picture = picture_of(request.match_info["photo_id"])
        except KeyError:
            return web.Response(status=404, text="Not Found")
        await asyncio.sleep(self.latency)
        width = request.query.get("w", "")
        body = picture.read(int(width) if width.isdecimal() else DEFAULT_WIDTH)
        self.counts["images"] += 1
        headers = {"Cache-Control": _CACHE_FOREVER, "Access-Control-Allow-Origin": "*"}
        return web.Response(body=body, content_type="image/webp", headers=headers)

    async def healthz(self, _: web.Request) -> web.Response:
        """`GET /healthz`."""
        return web.Response(text="ok")

    async def requests(self, _: web.Request) -> web.Response:
        """`GET /requests`: the numbers of authorized, rate-limited and image requests, and the budget."""
        counters = {**self.counts, "remaining": self.budget.remaining, "limit": self.budget.limit}
        return web.json_response(counters)

    def limits(self) -> dict[str, str]:
        """Return the rate-limit headers. The real service has no header for the end of the window."""
        return {
            "X-Ratelimit-Limit": str(self.budget.limit),
            "X-Ratelimit-Remaining": str(self.budget.remaining),
        }

    def errors(self, status: int, message: str) -> web.Response:
        """Return an error in the real service's format."""
        return web.json_response({"errors": [message]}, status=status, headers=self.limits())


def parse_count(count: str | None) -> int:
    """Parse the number of photos. Like the real service, return the maximum for a number outside 1..30."""
    if count is None:
        return 1
    return int(count) if count.isdecimal() and 1 <= int(count) <= MAX_PHOTOS else MAX_PHOTOS


def make_app(
    *,
    public_url: str,
    limit: int = 50,
    window: float = 3600,
    clock: Callable[[], float] = time.time,
    latency: float = 0,
    rng: random.Random | None = None,
) -> web.Application:
    """Return the application. `public_url` is the base URL of its images, `limit` the requests per `window`
    (seconds). `latency` is added to each response (seconds). `rng` chooses the photos."""
    budget = Budget(limit=limit, window=window, clock=clock)
    stand_in = StandIn(public_url=public_url, budget=budget, latency=latency, rng=rng or random.Random())
    app = web.Application()
    app.router.add_get("/photos/random", stand_in.random_photos)
    app.router.add_get(r"/images/{photo_id:[A-Za-z0-9_-]{11}}.webp", stand_in.image)
    app.router.add_get("/healthz", stand_in.healthz)
    app.router.add_get("/requests", stand_in.requests)
    return app
