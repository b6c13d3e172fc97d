"""Spare photos: the photos of a request that were not needed, stored for later jobs of the same topic."""

import zlib
from dataclasses import dataclass
from typing import Any

import msgspec

from functions.common.observability import measure
from functions.common.table import Items
from kinds.photo import Photo

RETENTION_SECONDS = 30 * 24 * 3600
CLAIM_MS = 15_000
"""Longer than a request may take."""
NONE_MS = 600_000
"""How long it is remembered that there are no photos of a topic. Asking again would cost a request."""
USED_UP = "attribute_not_exists(photo_count) OR taken >= photo_count"


@dataclass(frozen=True)
class SparePhotos:
    """One item per topic. It holds the `packed` photos, their `photo_count`, the number of photos already
    `taken`, and `asked_until`: until when a worker has claimed the request for more (epoch ms). A claim
    expires so that other workers do not wait for one that crashed. `none_until` is set if there are no
    photos: until then no worker asks again.

    One call increases `taken` and reads the photos. Therefore two workers never get the same photo, no new
    lot can be written in between, and taking several photos costs as many calls as taking one.

    Every method may raise botocore's errors.
    """

    items: Items

    def take(self, topic: str, count: int) -> list[Photo]:
        """Return up to `count` photos that no other worker gets."""
        update, condition = "SET taken = taken + :count", "taken < photo_count"
        lot = self.items.update(_name(topic), update, condition, {":count": count}, returns="ALL_OLD")
        if lot is None:
            return []
        unused = unpack(lot["packed"]["B"])[int(lot["taken"]["N"]) :]
        measure("SparePhotos", max(0, len(unused) - count))
        return unused[:count]

    def claim(self, topic: str, now: int) -> bool:
        """Claim the request for more photos (`now` is epoch ms).

        Return False if unused photos remain, if there are none, or if another worker has the claim.
        """
        return self._update(
            topic,
            "SET asked_until = :until, expires_at = :expires",
            f"({USED_UP}) AND (attribute_not_exists(asked_until) OR asked_until < :now)"
            " AND (attribute_not_exists(none_until) OR none_until < :now)",
            {":until": now + CLAIM_MS, ":now": now, ":expires": now // 1000 + RETENTION_SECONDS},
        )

    def release(self, topic: str) -> None:
        """End a claim without adding photos."""
        self._update(topic, "REMOVE asked_until", "attribute_exists(pk)", {})

    def remember_none(self, topic: str, now: int) -> None:
        """End a claim, because there are no photos of the topic."""
        update = "SET none_until = :until REMOVE asked_until"
        self._update(topic, update, "attribute_exists(pk)", {":until": now + NONE_MS})

    def has_none(self, topic: str, now: int) -> bool:
        """Return whether it is remembered that there are no photos of the topic."""
        item = self.items.get(_name(topic))
        return item is not None and "none_until" in item and int(item["none_until"]["N"]) >= now

    def put(self, topic: str, photos: list[Photo], now: int) -> None:
        """Replace used-up photos by new ones and end the claim.

        If unused photos remain, another worker has made the request after this worker's claim expired. Then
        the new photos are dropped, because appending them would take a second call.
        """
        values = {":packed": pack(photos), ":count": len(photos), ":zero": 0}
        self._update(
            topic,
            "SET packed = :packed, photo_count = :count, taken = :zero, expires_at = :expires"
            " REMOVE asked_until",
            USED_UP,
            {**values, ":expires": now // 1000 + RETENTION_SECONDS},
        )

    def _update(self, topic: str, update: str, condition: str, values: dict[str, Any]) -> bool:
        return self.items.update(_name(topic), update, condition, values) is not None


def _name(topic: str) -> str:
    return f"spares#{topic}"


def pack(photos: list[Photo]) -> bytes:
    """Return photos as compressed JSON: a fifth of the size, because photos of a response are similar.

    DynamoDB charges for every write by the whole item's size, even if the write only changes a counter:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    return zlib.compress(msgspec.json.encode(photos), level=9)


def unpack(packed: bytes) -> list[Photo]:
    """Return the photos that `pack` packed."""
    return msgspec.json.decode(zlib.decompress(packed), type=list[Photo])
