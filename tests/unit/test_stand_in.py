"""The Unsplash stand-in follows the real service's protocol: requests, rate limit, images, process."""

import asyncio
import io
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from local.stand_in.photo_ids import new_id
from local.stand_in.photos import photo, picture_of
from local.stand_in.server import make_app

Client = TestClient[web.Request, web.Application]
KEY = {"Authorization": "Client-ID a-key"}
PUBLIC_URL = "http://photos.test"


class Clock:
    """A clock that a test advances."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def talk(scenario: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Run `scenario` against its own stand-in, on a loopback port."""

    async def run() -> None:
        app = make_app(**{"public_url": PUBLIC_URL, "rng": random.Random(7), **options})
        async with TestClient(TestServer(app, host="127.0.0.1")) as client:
            await scenario(client)

    asyncio.run(run())


async def ask(client: Client, **params: str) -> ClientResponse:
    return await client.get("/photos/random", params=params, headers=KEY)


def limits(answer: ClientResponse) -> tuple[str, str]:
    return answer.headers["X-Ratelimit-Limit"], answer.headers["X-Ratelimit-Remaining"]


def path(url: str) -> str:
    assert url.startswith(PUBLIC_URL)
    return url.removeprefix(PUBLIC_URL)


# --- the protocol ---


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Client-ID "}, {"Authorization": "Bearer a-key"}])
def test_a_request_without_a_key_is_refused_and_costs_nothing(headers: dict[str, str]) -> None:
    async def scenario(client: Client) -> None:
        answer = await client.get("/photos/random", headers=headers)
        assert answer.status == 401
        assert await answer.json() == {"errors": ["OAuth error: The access token is invalid"]}
        assert limits(answer) == ("50", "50")

    talk(scenario)


def test_a_count_returns_a_list_and_no_count_returns_an_object() -> None:
    async def scenario(client: Client) -> None:
        many = await (await ask(client, count="3", query="food")).json()
        single_list = await (await ask(client, count="1")).json()
        single = await (await ask(client, query="food")).json()
        assert isinstance(many, list)
        assert len(many) == 3
        assert isinstance(single_list, list)
        assert len(single_list) == 1
        assert isinstance(single, dict)
        assert single["id"]

    talk(scenario)


@pytest.mark.parametrize("count", ["31", "1000", "0", "-1", "many"])
def test_a_count_out_of_range_returns_thirty_photos(count: str) -> None:
    async def scenario(client: Client) -> None:
        photos = await (await ask(client, count=count)).json()
        assert len(photos) == 30

    talk(scenario)


def test_ids_are_distinct_and_have_unsplashs_format() -> None:
    async def scenario(client: Client) -> None:
        answers = [await (await ask(client, count="30", query="sea")).json() for _ in range(3)]
        ids = [each["id"] for answer in answers for each in answer]
        assert len(set(ids)) == 90
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{11}", photo_id) for photo_id in ids)

    talk(scenario)


def test_a_photo_has_the_fields_of_the_real_service() -> None:
    async def scenario(client: Client) -> None:
        for each in await (await ask(client, count="30", query="city")).json():
            assert each["width"] > 1000
            assert each["height"] > 1000
            assert re.fullmatch(r"#[0-9a-f]{6}", each["color"])
            assert set(each["urls"]) == {"raw", "full", "regular", "small", "thumb"}
            assert all(
                url.startswith(f"{PUBLIC_URL}/images/{each['id']}.webp") for url in each["urls"].values()
            )
            assert each["links"]["html"] == f"https://unsplash.com/photos/{each['id']}"
            assert {"self", "download", "download_location"} < set(each["links"])
            user = each["user"]
            assert user["id"]
            assert user["name"]
            assert user["links"]["html"] == f"https://unsplash.com/@{user['username']}"

    talk(scenario)


@pytest.mark.parametrize("topic", ["nothing", "The Void", "xyzzy pasta"])
def test_a_topic_without_photos_returns_404_and_costs_a_request(topic: str) -> None:
    async def scenario(client: Client) -> None:
        answer = await ask(client, count="5", query=topic)
        assert answer.status == 404
        assert await answer.json() == {"errors": ["No photos found."]}
        assert limits(answer) == ("50", "49")

    talk(scenario)


# --- the rate limit ---


def test_every_response_has_the_remaining_requests() -> None:
    async def scenario(client: Client) -> None:
        assert limits(await ask(client, count="30")) == ("3", "2")
        assert limits(await ask(client)) == ("3", "1")
        assert limits(await ask(client, query="void")) == ("3", "0")

    talk(scenario, limit=3)


def test_an_exceeded_rate_limit_returns_plain_text() -> None:
    async def scenario(client: Client) -> None:
        await ask(client)
        answer = await ask(client, count="2")
        assert answer.status == 403
        assert answer.content_type == "text/plain"
        assert await answer.text() == "Rate Limit Exceeded"
        assert limits(answer) == ("1", "0")
        assert "Retry-After" not in answer.headers

    talk(scenario, limit=1)


def test_a_window_starts_with_its_first_request_and_ends_after_an_hour() -> None:
    clock = Clock()

    async def scenario(client: Client) -> None:
        clock.now += 5_000  # idle time belongs to no window
        assert (await ask(client)).status == 200
        clock.now += 3_599
        assert (await ask(client)).status == 200
        assert (await ask(client)).status == 403
        clock.now += 1  # an hour after the first request, not after the refused one
        fresh = await ask(client)
        assert fresh.status == 200
        assert limits(fresh) == ("2", "1")

    talk(scenario, limit=2, clock=clock)


def test_the_window_can_be_configured() -> None:
    clock = Clock()

    async def scenario(client: Client) -> None:
        assert (await ask(client)).status == 200
        assert (await ask(client)).status == 403
        clock.now += 10
        assert (await ask(client)).status == 200

    talk(scenario, limit=1, window=10, clock=clock)


def test_request_counts_are_served_without_costing_a_request() -> None:
    async def scenario(client: Client) -> None:
        assert await (await client.get("/healthz")).text() == "ok"
        photo = await (await ask(client)).json()
        await ask(client)
        await ask(client)
        await client.get("/photos/random")  # without a key: not counted
        await client.get(path(photo["urls"]["thumb"]))
        seen = await (await client.get("/requests")).json()
        assert seen == {"api": 3, "images": 1, "limited": 1, "remaining": 0, "limit": 2}

    talk(scenario, limit=2)


def test_latency_delays_the_response() -> None:
    async def scenario(client: Client) -> None:
        begun = time.monotonic()
        await client.get("/photos/random")
        assert time.monotonic() - begun >= 0.05

    talk(scenario, latency=0.05)


# --- the images ---


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_images_are_webp_in_two_sizes_with_the_declared_ratio() -> None:
    async def scenario(client: Client) -> None:
        for each in await (await ask(client, count="5", query="food")).json():
            for size, width in (
                ("small", 400),
                ("thumb", 400),
                ("regular", 1080),
                ("full", 1080),
                ("raw", 1080),
            ):
                answer = await client.get(path(each["urls"][size]))
                assert answer.status == 200
                assert answer.content_type == "image/webp"
                assert "max-age=31536000" in answer.headers["Cache-Control"]
                image = opened(await answer.read())
                assert (image.format, image.mode, image.width) == ("WEBP", "RGB", width)
                assert abs(image.height - width * each["height"] / each["width"]) <= 1

    talk(scenario)


def test_the_width_parameter_selects_the_size() -> None:
    async def scenario(client: Client) -> None:
        image = f"/images/{new_id(7, random.Random(3))}.webp"
        widths = {"": 1080, "?w=401": 1080, "?w=9999": 1080, "?w=400": 400, "?w=1": 400, "?w=wide": 1080}
        for query, width in widths.items():
            answer = await client.get(image + query)
            assert opened(await answer.read()).width == width

    talk(scenario)


def test_images_do_not_count_against_the_limit_or_require_a_key() -> None:
    async def scenario(client: Client) -> None:
        photo = await (await ask(client)).json()
        assert (await ask(client)).status == 403
        assert (await client.get(path(photo["urls"]["thumb"]))).status == 200

    talk(scenario, limit=1)


def altered(photo_id: str) -> str:
    return photo_id[:-1] + ("A" if photo_id[-1] != "A" else "B")


@pytest.mark.parametrize("photo_id", ["short", "much-too-long-an-id", altered(new_id(0, random.Random(1)))])
def test_an_id_that_was_never_issued_is_not_found(photo_id: str) -> None:
    async def scenario(client: Client) -> None:
        assert (await client.get(f"/images/{photo_id}.webp")).status == 404

    talk(scenario)


def test_an_id_is_the_same_photo_on_every_server() -> None:
    bodies: list[bytes] = []
    photo_id = new_id(0, random.Random(5))

    async def scenario(client: Client) -> None:
        bodies.append(await (await client.get(f"/images/{photo_id}.webp?w=200")).read())

    talk(scenario)
    talk(scenario, rng=random.Random(99))
    assert bodies[0] == bodies[1] == picture_of(photo_id).read(200)
    assert photo(photo_id, PUBLIC_URL) == photo(photo_id, PUBLIC_URL)


# --- the process ---


def test_the_process_serves_and_ends_cleanly_on_sigterm() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "local.stand_in", "--port", str(port), "--limit", "9"]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.0 200 OK")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()
