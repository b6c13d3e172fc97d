import io
from typing import IO, Any

import boto3
import pytest
import requests

from functions.common.errors import Transient
from functions.common.http.destinations import NotAllowed
from functions.common.http.download import HttpResponse, ResponseTooLarge
from functions.job_worker.context import StoredFiles, UntrustedHttp
from kinds.photo import Photo
from kinds.photo.image_format import image_type
from kinds.photo.images import IN_MEMORY, HotlinkedImages, StoredImages
from tests.unit.factories import make_photo
from tests.unit.faults import refused

JPEG = HttpResponse(200, {}, b"\xff\xd8\xff\xe0 a picture\xff\xd9")
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


class FakeHttp(UntrustedHttp):
    """Returns a given response for the regular size, and a valid image for the small size."""

    def __init__(self, regular: HttpResponse | Exception) -> None:
        self.regular = regular

    def save(self, url: str, file: IO[bytes], **_: Any) -> HttpResponse:
        if isinstance(self.regular, Exception):
            raise self.regular
        response = self.regular if url.endswith("regular") else JPEG
        file.write(response.body)
        return response


@pytest.fixture
def s3(aws: boto3.Session) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="images")
    return client


def publish(s3: Any, regular: HttpResponse | Exception = JPEG) -> Photo:
    files = StoredFiles(s3, "images", "https://cdn.test/", "images/photo/")
    return StoredImages(files, FakeHttp(regular), frozenset()).publish(make_photo())


def test_both_sizes_are_copied_and_get_cdn_urls(s3: Any) -> None:
    keys = {size: f"images/photo/p1/{size}" for size in ("small", "regular")}
    assert publish(s3) == make_photo(**{size: f"https://cdn.test/{key}" for size, key in keys.items()})
    for key in keys.values():
        copy = s3.get_object(Bucket="images", Key=key)
        assert copy["Body"].read() == JPEG.body
        assert (copy["ContentType"], copy["CacheControl"][-9:]) == ("image/jpeg", "immutable")


@pytest.mark.parametrize(
    ("regular", "code"),
    [
        (HttpResponse(200, {"content-type": "image/jpeg"}, b"<html>"), "bad_image"),
        (HttpResponse(200, {}, b""), "bad_image"),
        (ResponseTooLarge("big"), "bad_image"),
        (NotAllowed("redirected to http://169.254.169.254"), "bad_image"),
        (requests.Timeout("time is up"), "unreachable"),
        (HttpResponse(404, {}, JPEG.body), "unreachable"),
    ],
)
def test_an_image_that_cannot_be_downloaded_is_a_transient_error(s3: Any, regular: Any, code: str) -> None:
    with pytest.raises(Transient) as error:
        publish(s3, regular)
    assert error.value.code == code
    assert "Contents" not in s3.list_objects_v2(Bucket="images", Prefix="images/photo/p1/regular")


def test_a_bucket_that_refuses_is_a_transient_error(s3: Any) -> None:
    with refused(s3, "PutObject", "SlowDown"), pytest.raises(Transient, match="storage"):
        publish(s3)


def box(name: bytes, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


COMPLETE = {
    "image/jpeg": JPEG.body,
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(100) + PNG_END,
    "image/gif": b"GIF87a" + bytes(20) + b";",
    "image/webp": b"RIFF\x0c\x00\x00\x00WEBPVP8 1234",
    "image/avif": box(b"ftyp", b"avif" + bytes(8)) + box(b"meta") + box(b"mdat", bytes(200)),
}


@pytest.mark.parametrize("kind", COMPLETE)
def test_a_complete_image_is_recognized_and_a_truncated_one_is_not(kind: str) -> None:
    body = COMPLETE[kind]
    assert image_type(io.BytesIO(body)) == kind
    assert {image_type(io.BytesIO(body[:length])) for length in range(len(body))} == {None}


@pytest.mark.parametrize("padding", [b"\x00", b"\r\n", b"\x00" * 30])
def test_a_jpeg_may_have_padding(padding: bytes) -> None:
    assert image_type(io.BytesIO(JPEG.body + padding)) == "image/jpeg"


def test_a_box_may_have_a_long_length() -> None:
    long_box = (1).to_bytes(4, "big") + b"mdat" + (20).to_bytes(8, "big") + bytes(4)
    start = box(b"ftyp", b"avis" + bytes(4)) + box(b"meta")
    assert image_type(io.BytesIO(start + long_box)) == "image/avif"
    assert image_type(io.BytesIO(start + long_box[:-1])) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xd8", b"\xff\xd8\xff", b"<svg>", b"RIFF....WAVEfmt ", b"\x00\x00\x00\x20ftypisom",
     b"\x00\x00\x00\x00ftypavif", b"GIF88a;"],
)  # fmt: skip
def test_other_data_is_not_an_image(body: bytes) -> None:
    assert image_type(io.BytesIO(body)) is None


def test_a_large_image_is_not_held_in_memory(s3: Any) -> None:
    large = HttpResponse(200, {}, JPEG.body[:-2] + bytes(3 * IN_MEMORY) + b"\xff\xd9")
    assert publish(s3, large).regular == "https://cdn.test/images/photo/p1/regular"
    copy = s3.get_object(Bucket="images", Key="images/photo/p1/regular")
    assert copy["Body"].read() == large.body


def test_hotlinked_images_keep_unsplashs_urls() -> None:
    assert HotlinkedImages().publish(make_photo()) == make_photo()
