"""Spare photos: what a request gave beyond what it was for, kept for the topic's next jobs."""

from dataclasses import dataclass
from typing import Any

from functions.common.attributes import from_item, to_attribute, to_item
from functions.common.ledger import spare_key
from functions.common.observability import measure

KEEP_SECONDS = 30 * 24 * 3600
CLAIM_MS = 15_000
"""Longer than a request may take."""
LEFT = "attribute_exists(photos) AND taken < size(photos)"
USED_UP = "attribute_not_exists(photos) OR taken >= size(photos)"


@dataclass(frozen=True)
class SparePhotos:
    """One item a topic: a list of photos, `taken`, how many of its first ones are handed out, and
    `asked_until`, while some worker is asking for more (epoch ms, so that one who died is not waited for).

    Taking moves `taken` on and reads the list in the same call, so two workers never get the same
    photo, and taking many costs no more calls than taking one.
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
        kept = from_item(answer["Attributes"])
        rest: list[dict[str, Any]] = kept["photos"][kept["taken"] :]
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
        """Keep photos, in place of a list that is used up or behind one that is not; ends a claim."""
        values = {":photos": photos, ":zero": 0, ":expires": now_seconds + KEEP_SECONDS}
        rest = "expires_at = :expires REMOVE asked_until"
        if not self._set(topic, f"SET photos = :photos, taken = :zero, {rest}", USED_UP, values):
            del values[":zero"]
            self._set(topic, f"SET photos = list_append(photos, :photos), {rest}", LEFT, values)

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


def _key(topic: str) -> dict[str, Any]:
    return {"pk": to_attribute(spare_key(topic))}
