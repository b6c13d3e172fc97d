"""Run the stand-in until SIGTERM or Ctrl-C: `python -m local.stand_in`."""

import argparse

from aiohttp import web

from .server import make_app


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stand_in", description="A stand-in for the Unsplash API.")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--public-url", help="base of the image URLs (default: http://HOST:PORT)")
    parser.add_argument("--limit", type=int, default=50, help="requests per window (default: %(default)s)")
    parser.add_argument("--window", type=float, default=3600, help="seconds (default: %(default)s)")
    parser.add_argument(
        "--latency", type=float, default=0, help="seconds added to each response (default: 0)"
    )
    return parser.parse_args()


def main() -> None:
    """Serve. `run_app` stops properly on SIGTERM and SIGINT."""
    options = arguments()
    url = f"http://{options.host}:{options.port}"
    ready = f"Unsplash stand-in on {url}, {options.limit} requests per {options.window:g} s"
    app = make_app(
        public_url=options.public_url or url,
        limit=options.limit,
        window=options.window,
        latency=options.latency,
    )
    web.run_app(
        app,
        host=options.host,
        port=options.port,
        access_log=None,
        shutdown_timeout=2,
        print=lambda *_: print(ready, flush=True),
    )


if __name__ == "__main__":
    main()
