"""Spare photos: the photos of a request that were not needed, stored for later jobs of the same topic."""

import json
import zlib
from dataclasses import dataclass

from functions.common.job import Photo, to_json
from functions.common.ledger import Ledger
from functions.common.observability import measure

RETENTION_SECONDS = 30 * 24 * 3600
CLAIM_MS = 15_000
"""Longer than a request may take."""
NONE_MS = 600_000
"""How long it is remembered that there are no photos of a topic. Asking again would cost a request."""


@dataclass(frozen=True)
class SparePhotos:
    """One ledger item per topic. It holds the `packed` photos, their `photo_count`, the number of photos
    already `taken`, and `asked_until`: until when a worker has claimed the request for more (epoch ms). A
    claim expires so that other workers do not wait for one that crashed. `none_until` is set if there are no
    photos: until then no worker asks again.

    One call increases `taken` and reads the photos. Therefore two workers never get the same photo, no new
    lot can be written in between, and taking several photos costs as many calls as taking one.
    """

    ledger: Ledger

    def take(self, topic: str, count: int) -> list[Photo]:
        """Return up to `count` photos that no other worker gets."""
        lot = self.ledger.take_spares(topic, count)
        if lot is None:
            return []
        unused = unpack(lot.packed)[lot.taken :]
        measure("SparePhotos", max(0, len(unused) - count))
        return unused[:count]

    def claim(self, topic: str, now: int) -> bool:
        """Claim the request for more photos (`now` is epoch ms).

        Return False if unused photos remain or another worker has the claim.
        """
        expires_at = now // 1000 + RETENTION_SECONDS
        return self.ledger.claim_request(topic, now=now, until=now + CLAIM_MS, expires_at=expires_at)

    def release(self, topic: str) -> None:
        """End a claim without adding photos."""
        self.ledger.release_claim(topic)

    def remember_none(self, topic: str, now: int) -> None:
        """End a claim, because there are no photos of the topic."""
        self.ledger.remember_none(topic, now + NONE_MS)

    def has_none(self, topic: str, now: int) -> bool:
        """Return whether it is remembered that there are no photos of the topic."""
        return self.ledger.has_none(topic, now)

    def put(self, topic: str, photos: list[Photo], now_seconds: int) -> None:
        """Replace used-up photos by new ones and end the claim.

        If unused photos remain, another worker has made the request after this worker's claim expired. Then
        the new photos are dropped, because appending them would take a second call.
        """
        self.ledger.replace_spares(topic, pack(photos), len(photos), now_seconds + RETENTION_SECONDS)


def pack(photos: list[Photo]) -> bytes:
    """Return photos as compressed JSON: a fifth of the size, because photos of a response are similar.

    DynamoDB charges for every write by the whole item's size, even if the write only changes a counter:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    return zlib.compress(to_json(photos).encode(), level=9)


def unpack(packed: bytes) -> list[Photo]:
    """Return the photos that `pack` packed."""
    photos: list[Photo] = json.loads(zlib.decompress(packed))
    return photos
