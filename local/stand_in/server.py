"""The stand-in's HTTP server: `/photos/random`, the images, and what tests want to know.

The protocol is that of https://unsplash.com/documentation, rate limit included.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from .photos import new_ids, photo, picture_of

MOST_PHOTOS = 30  # that one request gives
USUAL = 1080  # pixels across an image
_AUTHORIZED = re.compile(r"Client-ID\s+\S+")
_A_YEAR = "public, max-age=31536000, immutable"


@dataclass
class Budget:
    """Requests left in a window, which begins with the first request after the last one ended."""

    limit: int
    window: float  # seconds
    clock: Callable[[], float]  # seconds
    _left: int = 0
    _ends: float = field(default=float("-inf"))

    def spend(self) -> bool:
        """Takes one request; False when none is left."""
        now = self.clock()
        if now >= self._ends:
            self._left, self._ends = self.limit, now + self.window
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    @property
    def remaining(self) -> int:
        """How many requests could be made now."""
        return self.limit if self.clock() >= self._ends else self._left


class StandIn:
    """The handlers and what they share."""

    def __init__(self, *, public_url: str, budget: Budget, latency: float, rng: random.Random) -> None:
        self.public_url = public_url.rstrip("/")
        self.budget = budget
        self.latency = latency
        self.rng = rng
        self.counts = {"api": 0, "images": 0, "limited": 0}

    async def random_photos(self, request: web.Request) -> web.Response:
        """`GET /photos/random?count=&query=`: a list when `count` is given, else one photo."""
        await asyncio.sleep(self.latency)
        if not _AUTHORIZED.match(request.headers.get("Authorization", "")):
            return self.errors(401, "OAuth error: The access token is invalid")
        self.counts["api"] += 1
        if not self.budget.spend():
            self.counts["limited"] += 1
            return web.Response(status=403, text="Rate Limit Exceeded", headers=self.limits())
        wanted = request.query.get("count")
        ids = new_ids(request.query.get("query"), how_many(wanted), self.rng)
        if not ids:
            return self.errors(404, "No photos found.")
        photos = [photo(photo_id, self.public_url) for photo_id in ids]
        return web.json_response(photos[0] if wanted is None else photos, headers=self.limits())

    async def image(self, request: web.Request) -> web.Response:
        """`GET /images/<id>.webp?w=`: the picture, in the nearest of its two sizes."""
        try:
            picture = picture_of(request.match_info["photo_id"])
        except KeyError:
            return web.Response(status=404, text="Not Found")
        await asyncio.sleep(self.latency)
        width = request.query.get("w", "")
        body = picture.read(int(width) if width.isdecimal() else USUAL)
        self.counts["images"] += 1
        headers = {"Cache-Control": _A_YEAR, "Access-Control-Allow-Origin": "*"}
        return web.Response(body=body, content_type="image/webp", headers=headers)

    async def healthz(self, _: web.Request) -> web.Response:
        """`GET /healthz`: ready."""
        return web.Response(text="ok")

    async def requests(self, _: web.Request) -> web.Response:
        """`GET /requests`: authorized API requests, those of them refused, images, and the budget."""
        facts = {**self.counts, "remaining": self.budget.remaining, "limit": self.budget.limit}
        return web.json_response(facts)

    def limits(self) -> dict[str, str]:
        """The rate-limit headers; the real service sends no header that says when the window ends."""
        return {
            "X-Ratelimit-Limit": str(self.budget.limit),
            "X-Ratelimit-Remaining": str(self.budget.remaining),
        }

    def errors(self, status: int, message: str) -> web.Response:
        """An error in the real service's form."""
        return web.json_response({"errors": [message]}, status=status, headers=self.limits())


def how_many(count: str | None) -> int:
    """The number of photos to give; like the real service, the most for a number out of 1..30."""
    if count is None:
        return 1
    return int(count) if count.isdecimal() and 1 <= int(count) <= MOST_PHOTOS else MOST_PHOTOS


def make_app(
    *,
    public_url: str,
    limit: int = 50,
    window: float = 3600,
    clock: Callable[[], float] = time.time,
    latency: float = 0,
    rng: random.Random | None = None,
) -> web.Application:
    """The stand-in as an aiohttp application.

    `public_url` is where its images will be reached, `limit` the requests in a `window` of seconds, `latency`
    the seconds that each answer takes longer than it needs; `rng` picks the photos.
    """
    budget = Budget(limit=limit, window=window, clock=clock)
    stand_in = StandIn(public_url=public_url, budget=budget, latency=latency, rng=rng or random.Random())
    app = web.Application()
    app.router.add_get("/photos/random", stand_in.random_photos)
    app.router.add_get(r"/images/{photo_id:[A-Za-z0-9_-]{11}}.webp", stand_in.image)
    app.router.add_get("/healthz", stand_in.healthz)
    app.router.add_get("/requests", stand_in.requests)
    return app
