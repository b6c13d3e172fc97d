from typing import Any

import boto3
import pytest
import requests

from functions.common.errors import Transient
from functions.common.job import Photo
from functions.job_worker.download import Download, HostNotAllowed, HttpResponse, ResponseTooLarge
from functions.job_worker.images import HotlinkedImages, StoredImages, image_type
from tests.unit.factories import make_photo
from tests.unit.faults import refused

JPEG = HttpResponse(200, {}, b"\xff\xd8\xff\xe0 a picture")
GIF = HttpResponse(200, {}, b"GIF89a")


class FakeDownload(Download):
    """Returns a given response for the regular size, and a valid image for the small size."""

    def __init__(self, regular: HttpResponse | Exception) -> None:
        self.regular = regular

    def get(self, url: str, headers: dict[str, str], max_bytes: int) -> HttpResponse:
        if isinstance(self.regular, Exception):
            raise self.regular
        return self.regular if url.endswith("regular") else JPEG


@pytest.fixture
def s3(aws: boto3.Session) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="images")
    return client


def publish(s3: Any, regular: HttpResponse | Exception = JPEG) -> Photo:
    return StoredImages(s3, "images", "https://cdn.test/", FakeDownload(regular)).publish(make_photo())


def test_both_sizes_are_copied_and_get_cdn_urls(s3: Any) -> None:
    keys = {size: f"images/p1/{size}" for size in ("small", "regular")}
    assert publish(s3) == make_photo(**{size: f"https://cdn.test/{key}" for size, key in keys.items()})
    for key in keys.values():
        copy = s3.get_object(Bucket="images", Key=key)
        assert copy["Body"].read() == JPEG.body
        assert (copy["ContentType"], copy["CacheControl"][-9:]) == ("image/jpeg", "immutable")


def test_an_existing_copy_is_not_replaced(s3: Any) -> None:
    assert publish(s3) == publish(s3, GIF)
    assert s3.get_object(Bucket="images", Key="images/p1/regular")["ContentType"] == "image/jpeg"


@pytest.mark.parametrize(
    ("regular", "code"),
    [
        (HttpResponse(200, {"content-type": "image/jpeg"}, b"<html>"), "bad_image"),
        (HttpResponse(200, {}, b""), "bad_image"),
        (ResponseTooLarge("big"), "bad_image"),
        (HostNotAllowed("redirected to http://169.254.169.254"), "bad_image"),
        (requests.Timeout("time is up"), "unreachable"),
        (HttpResponse(404, {}, JPEG.body), "unreachable"),
    ],
)
def test_an_image_that_cannot_be_downloaded_is_a_transient_error(s3: Any, regular: Any, code: str) -> None:
    with pytest.raises(Transient) as error:
        publish(s3, regular)
    assert error.value.code == code
    assert "Contents" not in s3.list_objects_v2(Bucket="images", Prefix="images/p1/regular")


def test_a_bucket_that_refuses_is_a_transient_error(s3: Any) -> None:
    with refused(s3, "PutObject", "SlowDown"), pytest.raises(Transient, match="storage"):
        publish(s3)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (JPEG.body, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        *(
            (body, None)
            for body in (b"", b"\xff\xd8", b"<svg>", b"RIFF....WAVEfmt ", b"\x00\x00\x00\x20ftypisom")
        ),
    ],
)
def test_the_image_type_is_detected_by_the_first_bytes(body: bytes, kind: str | None) -> None:
    assert image_type(body) == kind


def test_hotlinked_images_keep_unsplashs_urls() -> None:
    assert HotlinkedImages().publish(make_photo()) == make_photo()
