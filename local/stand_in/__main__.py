"""`python -m local.stand_in`: serves until SIGTERM or Ctrl-C."""

import argparse

from aiohttp import web

from .server import make_app


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="stand_in", description="A stand-in for the Unsplash API.")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--public-url", help="base of the image URLs (default: http://HOST:PORT)")
    parser.add_argument("--limit", type=int, default=50, help="requests in a window (default: %(default)s)")
    parser.add_argument("--window", type=float, default=3600, help="seconds (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0, help="seconds added to answers (default: 0)")
    return parser.parse_args()


def main() -> None:
    """Serves the stand-in; `run_app` ends it cleanly on SIGTERM and SIGINT."""
    given = arguments()
    place = f"http://{given.host}:{given.port}"
    ready = f"Unsplash stand-in on {place}, {given.limit} requests in {given.window:g} s"
    app = make_app(
        public_url=given.public_url or place, limit=given.limit, window=given.window, latency=given.latency
    )
    web.run_app(
        app,
        host=given.host,
        port=given.port,
        access_log=None,
        shutdown_timeout=2,
        print=lambda *_: print(ready, flush=True),
    )


if __name__ == "__main__":
    main()
