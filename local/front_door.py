"""One address for the local run, as a browser sees it: web app, API, live stream and images.

In AWS the live stream is served through API Gateway, images and web app through CloudFront. The emulator's
API Gateway buffers streams, and it has no CloudFront. So this proxy forwards to the relay and the bucket, and
serves the built web app itself.
"""

import argparse
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

from infra.constructs.site_headers import FIXED, IMMUTABLE, REVALIDATED, content_security_policy

SITE = Path(__file__).parent.parent / "frontend" / "dist"
"""The output of `make web`."""
RESPONSE_HEADERS = {
    "content-type", "content-encoding", "cache-control", "location", "retry-after", "etag", "vary",
    "x-accel-buffering", "allow",
}  # fmt: skip
"""Response headers that are forwarded, in addition to those of CORS."""
DROPPED_REQUEST_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
SESSION = web.AppKey("session", ClientSession)


class FrontDoor:
    """Forwards each path to the component that serves it."""

    def __init__(self, *, api: str, relay: str, bucket: str, s3: Any, image_sources: list[str]) -> None:
        self._api = api
        self._relay = relay
        self._bucket = bucket
        self._s3 = s3
        policy = content_security_policy(connect=[], images=image_sources)
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
        return web.json_response({"apiUrl": "/api"}, headers={"Cache-Control": REVALIDATED})

    async def live(self, request: web.Request) -> web.StreamResponse:
        return await self._forward(request, f"{self._relay}/live")

    async def api(self, request: web.Request) -> web.StreamResponse:
        return await self._forward(request, self._api + request.rel_url.raw_path.removeprefix("/api"))

    async def image(self, request: web.Request) -> web.StreamResponse:
        """Serve an image through a presigned URL, because the bucket is private."""
        key = {"Bucket": self._bucket, "Key": request.path.lstrip("/")}
        return await self._forward(request, self._s3.generate_presigned_url("get_object", Params=key))

    async def _forward(self, request: web.Request, url: str) -> web.StreamResponse:
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
        try:
            async with request.app[SESSION].request(
                request.method, target, headers=headers, data=body, allow_redirects=False
            ) as upstream:
                forwarded = {name: value for name, value in upstream.headers.items() if _is_forwarded(name)}
                response = web.StreamResponse(status=upstream.status, headers=forwarded)
                await response.prepare(request)
                async for chunk in upstream.content.iter_any():
                    await response.write(chunk)
                return response
        except ClientError as error:
            return web.json_response(
                {"title": "Bad Gateway", "status": 502, "detail": str(error)}, status=502
            )

    def app(self) -> web.Application:
        app = web.Application()
        app.cleanup_ctx.append(_session)
        app.router.add_get("/", self.page)
        app.router.add_get("/config.json", self.config)
        app.router.add_get("/api/live", self.live)
        app.router.add_route("*", "/api/{path:.*}", self.api)
        app.router.add_get("/images/{path:.+}", self.image)
        app.router.add_get(r"/{name:[\w-]+\.\w+}", self.site_file)
        app.router.add_get(r"/assets/{name:[\w.-]+}", self.site_file)
        app.router.add_get(r"/{path:[^.]*}", self.page)
        return app


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
    options = parser.parse_args()
    front_door = FrontDoor(
        api=options.api,
        relay=options.relay,
        bucket=options.bucket,
        s3=boto3.client("s3"),
        image_sources=options.image_source,
    )
    web.run_app(
        front_door.app(), host="localhost", port=options.port,
        handler_cancellation=True, access_log=None, print=None, shutdown_timeout=1,
    )  # fmt: skip


if __name__ == "__main__":
    main()
