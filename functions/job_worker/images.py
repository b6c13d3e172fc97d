"""Where browsers load a job's image from: a copy in S3 behind the CDN, or Unsplash's own server."""

import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, Protocol

import requests
from botocore.exceptions import BotoCoreError, ClientError

from functions.common.errors import Transient
from functions.common.http.download import Download, ResponseTooLarge
from functions.common.http.exchange import NotAllowed
from functions.common.job import Photo
from functions.job_worker.image_format import image_type

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MAX_IMAGE = 15_000_000
"""Bytes. A `regular` image, 1,080 pixels wide, has about 200,000."""

IMMUTABLE = "public, max-age=31536000, immutable"
IN_MEMORY = 1_000_000
"""Bytes of an image that are held in memory. The rest of a larger one is in a temporary file."""


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
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            self._fetch(photo[size], file)
            media_type = image_type(file)
            if media_type is None:
                raise Transient("bad_image", "Unsplash's image is not a complete image")
            self._store(key, file, media_type)
        return f"{self.base_url.rstrip('/')}/{key}"

    def _store(self, key: str, file: IO[bytes], media_type: str) -> None:
        try:
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=file,
                ContentType=media_type, CacheControl=IMMUTABLE, IfNoneMatch="*",
            )  # fmt: skip
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":  # the image exists already
                raise Transient("storage", "the image could not be stored") from error
        except BotoCoreError as error:
            raise Transient("storage", "the image could not be stored") from error

    def _fetch(self, url: str, file: IO[bytes]) -> None:
        try:
            response = self.download.save(url, {}, MAX_IMAGE, file)
        except ResponseTooLarge as error:
            raise Transient("bad_image", "Unsplash's image is too large") from error
        except NotAllowed as error:
            raise Transient("bad_image", f"Unsplash's image is not on an allowed host: {error}") from error
        except requests.RequestException as error:
            reason = type(error).__name__
            raise Transient("unreachable", f"the image could not be downloaded ({reason})") from error
        if response.status != 200:
            raise Transient("unreachable", f"the image could not be downloaded ({response.status})")
