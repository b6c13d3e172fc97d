"""One address for the local run, as a browser sees it: web app, API, live stream and images.

In AWS the live stream is served through API Gateway, images and web app through CloudFront. The emulator's
API Gateway buffers streams, and it has no CloudFront. So this proxy forwards to the relay and the bucket, and
serves the built web app itself.
"""

import argparse
import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

from infra.constructs.site_headers import (
    FIXED,
    IMAGE_HEADERS,
    IMMUTABLE,
    REVALIDATED,
    content_security_policy,
)
from infra.sign_in_config import SignInConfig, origin
from local.processes import loopback_addresses

SITE = Path(__file__).parent.parent / "frontend" / "dist"
"""The output of `make web`."""
RESPONSE_HEADERS = {
    "accept-ranges", "allow", "cache-control", "content-encoding", "content-range", "content-type", "etag",
    "last-modified", "location", "retry-after", "vary", "www-authenticate", "x-accel-buffering",
}  # fmt: skip
"""Response headers that are forwarded, in addition to those of CORS."""
DROPPED_REQUEST_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
SESSION = web.AppKey("session", ClientSession)
MAX_BODY = 10 * 1024 * 1024
MAX_TARGET = 8 * 1024
"""Bytes of a body and of an address. API Gateway accepts bodies of 10 MB:
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
MAX_LINE = 64 * 1024
"""Bytes of a request line or header that are read, so that a longer address gets a proper answer."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FrontDoor:
    """Forwards each path to the component that serves it."""

    def __init__(
        self,
        *,
        api: str,
        relay: str,
        bucket: str,
        s3: Any,
        image_sources: list[str],
        sign_in: SignInConfig | None = None,
        sign_in_page: str | None = None,
    ) -> None:
        """`sign_in_page` is the origin of Cognito's page, which `sign_in` says is at this address."""
        self._api = api
        self._relay = relay
        self._bucket = bucket
        self._s3 = s3
        self._config = {"apiUrl": "/api", **({"signIn": sign_in} if sign_in else {})}
        self._sign_in_page = sign_in_page
        issuers = [origin(sign_in["issuer"])] if sign_in and not sign_in["hostedUrl"] else []
        policy = content_security_policy(connect=issuers, images=image_sources)
        self._site_headers = {**FIXED, "Content-Security-Policy": policy}

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Serve the web app's page, which reads from its URL what to show."""
        headers = {**self._site_headers, "Cache-Control": REVALIDATED}
        return web.FileResponse(SITE / "index.html", headers=headers)

    async def site_file(self, request: web.Request) -> web.StreamResponse:
        """Serve a built file. The routes accept only plain file names."""
        path = SITE / request.path.lstrip("/")
        if not path.is_file():
            raise web.HTTPNotFound
        is_hashed = path.parent.name == "assets"
        headers = {**self._site_headers, "Cache-Control": IMMUTABLE if is_hashed else REVALIDATED}
        return web.FileResponse(path, headers=headers)

    async def config(self, _: web.Request) -> web.StreamResponse:
        """Serve the configuration that a deployment writes for the web app."""
        return web.json_response(self._config, headers={"Cache-Control": REVALIDATED})

    async def live(self, request: web.Request) -> web.StreamResponse:
        return await self._forward(request, f"{self._relay}/live")

    async def api(self, request: web.Request) -> web.StreamResponse:
        return await self._forward(request, self._api + request.rel_url.raw_path.removeprefix("/api"))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Forward to Cognito's page, whose forms name paths at the root."""
        return await self._forward(request, f"{self._sign_in_page}{request.rel_url.raw_path}")

    async def image(self, request: web.Request) -> web.StreamResponse:
        """Serve an image through a presigned URL, because the bucket is private."""
        key = {"Bucket": self._bucket, "Key": request.path.lstrip("/")}
        url = self._s3.generate_presigned_url("get_object", Params=key)
        return await self._forward(request, url, IMAGE_HEADERS)

    async def _forward(
        self, request: web.Request, url: str, more_headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        """Forward the request, and stream the response."""
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in DROPPED_REQUEST_HEADERS
        }
        body = await request.read()
        target = URL(url, encoded=True)
        if request.query_string:
            target = URL(f"{url}?{request.rel_url.raw_query_string}", encoded=True)
        response: web.StreamResponse | None = None
        try:
            async with request.app[SESSION].request(
                request.method, target, headers=headers, data=body, allow_redirects=False
            ) as upstream:
                forwarded = {name: value for name, value in upstream.headers.items() if _is_forwarded(name)}
                response = web.StreamResponse(
                    status=upstream.status, headers={**forwarded, **(more_headers or {})}
                )
                await response.prepare(request)
                async for chunk in upstream.content.iter_any():
                    await response.write(chunk)
                return response
        except ClientError as error:
            if response is None:
                return _problem(HTTPStatus.BAD_GATEWAY, str(error))
            if request.transport is not None:  # the client must notice that the response is incomplete
                request.transport.close()
            return response

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_answer_problems])
        app.cleanup_ctx.append(_session)
        app.router.add_get("/", self.page)
        app.router.add_get("/config.json", self.config)
        app.router.add_route("*", "/api/live", self.live)
        app.router.add_route("*", "/api/{path:.*}", self.api)
        if self._sign_in_page:
            app.router.add_route("*", "/{path:login|logout|oauth2/.+}", self.sign_in)
        app.router.add_get("/images/{path:.+}", self.image)
        app.router.add_get(r"/{name:[\w-]+\.\w+}", self.site_file)
        app.router.add_get(r"/assets/{name:[\w.-]+}", self.site_file)
        app.router.add_get(r"/{path:[^.]*}", self.page)
        return app


@web.middleware
async def _answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors of the front door itself like those of the API."""
    if len(request.raw_path) > MAX_TARGET:
        return _problem(
            HTTPStatus.REQUEST_URI_TOO_LONG, f"the address must be at most {MAX_TARGET} bytes long"
        )
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _problem(HTTPStatus(error.status), error.reason)


def _problem(status: HTTPStatus, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "errors": []}
    headers = {
        "Content-Type": "application/problem+json",
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-store",
    }
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)


async def _session(app: web.Application) -> AsyncIterator[None]:
    timeout = ClientTimeout(total=None, sock_connect=10)
    async with ClientSession(timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        app[SESSION] = session
        yield


def _is_forwarded(name: str) -> bool:
    return name.lower() in RESPONSE_HEADERS or name.lower().startswith("access-control-")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--api", required=True, metavar="URL")
    parser.add_argument("--relay", required=True, metavar="URL")
    parser.add_argument("--bucket", required=True, help="name of the bucket with the images")
    parser.add_argument("--image-source", action="append", default=[], help="another origin of images")
    parser.add_argument("--sign-in", type=json.loads, metavar="JSON", help="for the web app's config.json")
    parser.add_argument("--sign-in-page", metavar="URL", help="where Cognito's page is served")
    options = parser.parse_args()
    front_door = FrontDoor(
        api=options.api,
        relay=options.relay,
        bucket=options.bucket,
        s3=boto3.client("s3"),
        image_sources=options.image_source,
        sign_in=options.sign_in,
        sign_in_page=options.sign_in_page,
    )
    asyncio.run(_serve(front_door.app(), options.port))


async def _serve(app: web.Application, port: int) -> None:
    """Serve on both loopback addresses until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=1,
        auto_decompress=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
    )
    await runner.setup()
    async with contextlib.AsyncExitStack() as running:
        running.push_async_callback(runner.cleanup)
        for address in loopback_addresses():
            await web.TCPSite(runner, address, port).start()
        await stop.wait()


if __name__ == "__main__":
    main()
