"""Where browsers load a job's image from: a copy in S3 behind the CDN, or Unsplash's own server."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import requests
from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Transient
from functions.common.job import Photo
from functions.job_worker.download import Download, HostNotAllowed, ResponseTooLarge

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MAX_IMAGE = 15_000_000
"""Bytes. A `regular` image, 1,080 pixels wide, has about 200,000."""

IMMUTABLE = "public, max-age=31536000, immutable"

SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}
"""The first bytes of formats that browsers display. WebP and AVIF have their signatures further inside."""


class ImageStore(Protocol):
    """Makes the images of a photo available to browsers."""

    def publish(self, photo: Photo) -> Photo:
        """Return the photo with the URLs from which browsers load its images."""


class HotlinkedImages:
    """`images: hotlink`: browsers load images from Unsplash, as its guidelines require."""

    def publish(self, photo: Photo) -> Photo:
        return photo


@dataclass(frozen=True)
class StoredImages:
    """`images: cdn`: copies in S3, served by CloudFront at `base_url`."""

    s3: "S3Client"
    bucket: str
    base_url: str
    download: Download

    def publish(self, photo: Photo) -> Photo:
        """Copy both sizes to S3. Raises Transient; a retry gets another photo."""
        return {**photo, "small": self._copy(photo, "small"), "regular": self._copy(photo, "regular")}

    def _copy(self, photo: Photo, size: Literal["small", "regular"]) -> str:
        key = f"images/{photo['id']}/{size}"
        body = self._fetch(photo[size])
        media_type = image_type(body)
        if media_type is None:
            raise Transient("bad_image", "Unsplash's image is not in an image format")
        try:
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=body,
                ContentType=media_type, CacheControl=IMMUTABLE, IfNoneMatch="*",
            )  # fmt: skip
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":  # the image exists already
                raise Transient("storage", "the image could not be stored") from error
        except BotoCoreError as error:
            raise Transient("storage", "the image could not be stored") from error
        return f"{self.base_url.rstrip('/')}/{key}"

    def _fetch(self, url: str) -> bytes:
        try:
            response = self.download.get(url, {}, MAX_IMAGE)
        except ResponseTooLarge as error:
            raise Transient("bad_image", "Unsplash's image is too large") from error
        except HostNotAllowed as error:
            raise Transient("bad_image", f"Unsplash's image is not on an allowed host: {error}") from error
        except requests.RequestException as error:
            reason = type(error).__name__
            raise Transient("unreachable", f"the image could not be downloaded ({reason})") from error
        if response.status != 200:
            raise Transient("unreachable", f"the image could not be downloaded ({response.status})")
        return response.body


def image_type(body: bytes) -> str | None:
    """Return the media type by the first bytes, regardless of headers. Return None for other data."""
    for signature, media_type in SIGNATURES.items():
        if body.startswith(signature):
            return media_type
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return None
