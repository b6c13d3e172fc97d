"""The HTTP headers of the web app's files, which CloudFront sends in AWS and the front door sends locally.

This module does not import the CDK, so that the front door can use it without loading the CDK.
"""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of assets. Their names contain a hash of their content."""
REVALIDATED = "no-cache"
"""Cache-Control of the page and its configuration. Browsers revalidate them on each use, so that a deployment
is visible immediately."""

IMAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    "Access-Control-Allow-Origin": "*",
}
"""Headers of stored images: pages of any origin may use them, and browsers must not guess other types."""

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
}


def content_security_policy(*, connect: list[str], images: list[str]) -> str:
    """Return a policy that allows the site's own scripts and styles but no inline ones.

    `connect` lists the sources for API calls, `images` the sources of images, in the syntax of
    https://www.w3.org/TR/CSP3/#framework-directive-source-list.
    """
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", *images],
        "manifest-src": ["'self'"],
        "connect-src": ["'self'", *connect, *images],  # images are downloaded, too
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())
