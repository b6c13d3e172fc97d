"""Spare photos: what a request gave beyond what it was for, kept for the topic's next jobs."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

from functions.common.attributes import to_attribute, to_item
from functions.common.job import to_json
from functions.common.ledger import spares_key
from functions.common.observability import measure

KEEP_SECONDS = 30 * 24 * 3600
CLAIM_MS = 15_000
"""Longer than a request may take."""
LEFT = "taken < photo_count"
USED_UP = "attribute_not_exists(photo_count) OR taken >= photo_count"


@dataclass(frozen=True)
class SparePhotos:
    """One item a topic: `packed` photos, their `photo_count`, `taken`, how many of its first ones are handed
    out, and `asked_until`, while some worker is asking for more (epoch ms, so that one who died is not
    waited for).

    Taking moves `taken` on and reads the photos in the same call, so two workers never get the same
    photo, no new lot can come between, and taking many costs no more calls than taking one.
    """

    dynamodb: Any
    table: str

    def take(self, topic: str, count: int) -> list[dict[str, Any]]:
        """Up to `count` photos that nobody else gets."""
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(topic),
                UpdateExpression="SET taken = taken + :count",
                ConditionExpression=LEFT,
                ExpressionAttributeValues=to_item({":count": count}),
                ReturnValues="ALL_OLD",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return []
        before = answer["Attributes"]
        rest = unpack(before["packed"]["B"])[int(before["taken"]["N"]) :]
        measure("SparePhotos", max(0, len(rest) - count))
        return rest[:count]

    def claim(self, topic: str, now: int) -> bool:
        """Be the one who asks for more: only if all photos are taken and nobody else is asking."""
        return self._set(
            topic,
            "SET asked_until = :until, expires_at = :expires",
            f"({USED_UP}) AND (attribute_not_exists(asked_until) OR asked_until < :now)",
            {":until": now + CLAIM_MS, ":now": now, ":expires": now // 1000 + KEEP_SECONDS},
        )

    def release(self, topic: str) -> None:
        """Give up a claim without photos."""
        self._set(topic, "REMOVE asked_until", "attribute_exists(pk)", {})

    def put(self, topic: str, photos: list[dict[str, Any]], now_seconds: int) -> None:
        """Keep photos in place of those that are used up; ends a claim.

        Where some are left, somebody else has answered after this worker's claim had run out: its photos are
        dropped, for to put them behind the others would take a second call.
        """
        lot = {":packed": pack(photos), ":count": len(photos), ":zero": 0}
        self._set(
            topic,
            "SET packed = :packed, photo_count = :count, taken = :zero, expires_at = :expires"
            " REMOVE asked_until",
            USED_UP,
            {**lot, ":expires": now_seconds + KEEP_SECONDS},
        )

    def _set(self, topic: str, expression: str, condition: str, values: dict[str, Any]) -> bool:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(topic),
                UpdateExpression=expression,
                ConditionExpression=condition,
                **({"ExpressionAttributeValues": to_item(values)} if values else {}),
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def pack(photos: list[dict[str, Any]]) -> bytes:
    """Compressed JSON: a fifth of the size, for photos of one answer differ in little. DynamoDB charges every
    write of an item, even one that only moves a counter, by the whole item's size:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    return zlib.compress(to_json(photos).encode(), level=9)


def unpack(packed: bytes) -> list[dict[str, Any]]:
    """What was packed."""
    photos: list[dict[str, Any]] = json.loads(zlib.decompress(packed))
    return photos


def _key(topic: str) -> dict[str, Any]:
    return {"pk": to_attribute(spares_key(topic))}
