"""Serves the built web app to a page without a running system, with given responses of the API."""

import json
import re
from typing import Any

from playwright.sync_api import Page, Route

from infra.kinds import read_kinds
from infra.tools.contract import describe
from local.deployment import ROOT

DIST = ROOT / "frontend" / "dist"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
DEFAULTS: dict[str, Any] = {
    "/config.json": {"apiUrl": "/api"},
    "/api/kinds": describe({name: declaration.kind for name, declaration in read_kinds().items()}),
    "/api/stats": {
        "counts": {"pending": 0, "resolved": 0, "error": 0, "cancelled": 0},
        "counts_by_kind": {}, "codes": {}, "budgets": {},
        "budget": {"limit": 50, "remaining": 50, "resets_at": None},
        "minutes": [], "queues": {}, "oldest_pending": None,
    },
}  # fmt: skip


def serve_app(page: Page, origin: str, responses: dict[str, Any]) -> None:
    """Answer the page's requests: JSON for the paths in `responses`, which may grow, and files of the app."""

    def serve(route: Route) -> None:
        path = re.sub(r"\?.*", "", route.request.url.removeprefix(origin))
        default = {"data": []} if path.endswith("/history") else DEFAULTS.get(path)
        response = responses.get(path, default)
        if response is not None:
            # not as `json`, which Playwright refuses if it is nested deeply
            route.fulfill(body=json.dumps(response), content_type="application/json")
            return
        file = DIST / path.lstrip("/")
        file = file if file.is_file() else DIST / "index.html"
        route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])

    page.route(lambda url: not url.split("?")[0].endswith("/live"), serve)
