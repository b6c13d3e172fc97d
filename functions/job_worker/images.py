"""Where a job's image comes to lie: a copy in S3 behind the CDN, or Unsplash's own address."""

from dataclasses import dataclass
from typing import Any, Protocol

import requests
from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Transient
from functions.job_worker.download import Download, NotAllowed, TooLarge

MAX_IMAGE = 15_000_000
"""Bytes; a `regular` image (1,080 px wide) is some 200,000."""

SIZES = ("small", "regular")
IMMUTABLE = "public, max-age=31536000, immutable"

SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}
"""First bytes of the formats that browsers show; WebP and AVIF carry theirs further in."""


class ImageStore(Protocol):
    """Makes a photo's images available and gives the photo with their addresses."""

    def keep(self, photo: dict[str, Any]) -> dict[str, Any]: ...


class HotlinkedImages:
    """`images: hotlink`: Unsplash's addresses as they are, as its guidelines ask."""

    def keep(self, photo: dict[str, Any]) -> dict[str, Any]:
        return photo


@dataclass(frozen=True)
class StoredImages:
    """`images: cdn`: copies in S3, shown through CloudFront at `base_url`."""

    s3: Any
    bucket: str
    base_url: str
    download: Download

    def keep(self, photo: dict[str, Any]) -> dict[str, Any]:
        """Copy both sizes. Raises Transient: another try gets another photo."""
        return {**photo, **{size: self._copy(photo, size) for size in SIZES}}

    def _copy(self, photo: dict[str, Any], size: str) -> str:
        key = f"images/{photo['id']}/{size}"
        body = self._fetch(photo[size])
        kind = image_type(body)
        if kind is None:
            raise Transient("bad_image", "Unsplash's image was no image")
        try:
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=body,
                ContentType=kind, CacheControl=IMMUTABLE, IfNoneMatch="*",
            )  # fmt: skip
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":  # it is there already
                raise Transient("storage", "the image could not be stored") from error
        except BotoCoreError as error:
            raise Transient("storage", "the image could not be stored") from error
        return f"{self.base_url.rstrip('/')}/{key}"

    def _fetch(self, url: str) -> bytes:
        try:
            answer = self.download.get(url, {}, MAX_IMAGE)
        except TooLarge as error:
            raise Transient("bad_image", "Unsplash's image was too large") from error
        except NotAllowed as error:
            raise Transient("bad_image", f"Unsplash's image lies elsewhere: {error}") from error
        except requests.RequestException as error:
            raise Transient("unreachable", f"the image did not come ({type(error).__name__})") from error
        if answer.status != 200:
            raise Transient("unreachable", f"the image was refused ({answer.status})")
        return answer.body


def image_type(body: bytes) -> str | None:
    """The media type by the first bytes, whatever a header claims; None if it is no image."""
    for signature, kind in SIGNATURES.items():
        if body.startswith(signature):
            return kind
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return None
