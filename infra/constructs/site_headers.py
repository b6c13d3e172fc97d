"""What the web app's pages are sent with, by CloudFront in AWS and by the front door locally.

Plain values, so that the front door reads them without loading the CDK.
"""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For assets, whose names carry a hash of what is in them."""
REVALIDATED = "no-cache"
"""For the page itself and its configuration: asked for anew each time, so that a deployment shows at once."""

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
}


def content_security_policy(*, connect: list[str], images: list[str]) -> str:
    """The page's own scripts and styles and nothing inline, the API at `connect`, pictures of `images`
    (sources as in https://www.w3.org/TR/CSP3/#framework-directive-source-list)."""
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", *images],
        "connect-src": ["'self'", *connect],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())
