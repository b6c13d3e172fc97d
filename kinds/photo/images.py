"""Where browsers load a job's image from: a copy in S3 behind the CDN, or Unsplash's own server."""

import tempfile
from dataclasses import dataclass
from typing import IO, Protocol

import msgspec
import requests

from functions.common.errors import Transient
from functions.common.http.destinations import NotAllowed
from functions.common.http.download import ResponseTooLarge
from functions.common.kind import Files, Http
from kinds.photo import Photo
from kinds.photo.image_format import image_type

MAX_IMAGE = 15_000_000
"""Bytes. A `regular` image, 1,080 pixels wide, has about 200,000."""

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
    """`images: cdn`: copies, downloaded from `hosts`."""

    files: Files
    http: Http
    hosts: frozenset[str]

    def publish(self, photo: Photo) -> Photo:
        """Store both sizes. Raises Transient; a retry gets another photo."""
        small, regular = (self._copy(photo, size) for size in ("small", "regular"))
        return msgspec.structs.replace(photo, small=small, regular=regular)

    def _copy(self, photo: Photo, size: str) -> str:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            self._fetch(getattr(photo, size), file)
            media_type = image_type(file)
            if media_type is None:
                raise Transient("bad_image", "Unsplash's image is not a complete image")
            return self.files.put(f"{photo.id}/{size}", file, media_type)

    def _fetch(self, url: str, file: IO[bytes]) -> None:
        try:
            response = self.http.save(url, file, max_bytes=MAX_IMAGE, hosts=self.hosts)
        except ResponseTooLarge as error:
            raise Transient("bad_image", "Unsplash's image is too large") from error
        except NotAllowed as error:
            raise Transient("bad_image", f"Unsplash's image is not on an allowed host: {error}") from error
        except requests.RequestException as error:
            reason = type(error).__name__
            raise Transient("unreachable", f"the image could not be downloaded ({reason})") from error
        if response.status != 200:
            raise Transient("unreachable", f"the image could not be downloaded ({response.status})")
