"""Recognize images that browsers display, and whether they are complete, by their first and last bytes.

Formats: https://www.w3.org/TR/PNG/ (IEND), https://www.w3.org/Graphics/JPEG/itu-t81.pdf (EOI),
https://www.w3.org/Graphics/GIF/spec-gif89a.txt (trailer),
https://developers.google.com/speed/webp/docs/riff_container and ISO/IEC 14496-12 (boxes of AVIF).
"""

import io
import struct
from typing import IO

HEAD, TAIL = 16, 64
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
PADDING = b"\x00\r\n "
"""Bytes that some programs append to a JPEG."""


def image_type(file: IO[bytes]) -> str | None:
    """Return the media type of a complete image, regardless of headers, or None for other data."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(HEAD)
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    file.seek(0)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg" if size > 4 and tail.rstrip(PADDING).endswith(b"\xff\xd9") else None
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png" if tail.endswith(PNG_END) else None
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif" if tail.endswith(b";") else None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp" if _riff_size(head) == size else None
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif" if _has_whole_boxes(file, size) else None
    return None


def _riff_size(head: bytes) -> int:
    (content,) = struct.unpack("<I", head[4:8])
    return 8 + int(content) + int(content) % 2


def _has_whole_boxes(file: IO[bytes], size: int) -> bool:
    """Return whether boxes, each of which begins with its length, fill the file and contain an image."""
    position = 0
    names = set()
    while position < size:
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # the length is in the next eight bytes
            length = int.from_bytes(header[8:], "big")
        if length < 8:
            break
        position += length
        names.add(header[4:8])
    file.seek(0)
    return position == size and {b"meta", b"mdat"} <= names
