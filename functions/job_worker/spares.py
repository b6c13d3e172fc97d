"""Spare photos: what a request gave beyond what it was for, kept for the topic's next jobs."""

from dataclasses import dataclass
from typing import Any

from functions.common.attributes import from_item, to_attribute, to_item
from functions.common.ledger import spare_key

KEEP_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class SparePhotos:
    """One item a topic: a list of photos and `taken`, how many of its first ones are handed out.

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
                ConditionExpression="attribute_exists(photos) AND taken < size(photos)",
                ExpressionAttributeValues=to_item({":count": count}),
                ReturnValues="ALL_OLD",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return []
        kept = from_item(answer["Attributes"])
        photos: list[dict[str, Any]] = kept["photos"][kept["taken"] : kept["taken"] + count]
        return photos

    def put(self, topic: str, photos: list[dict[str, Any]], now_seconds: int) -> None:
        """Keep photos: in place of a list that is used up, or behind one that is not."""
        values = {":photos": photos, ":zero": 0, ":expires": now_seconds + KEEP_SECONDS}
        used_up = "attribute_not_exists(photos) OR taken >= size(photos)"
        expiry = "expires_at = :expires"
        if not self._set(topic, f"SET photos = :photos, taken = :zero, {expiry}", used_up, values):
            del values[":zero"]
            append = f"SET photos = list_append(photos, :photos), {expiry}"
            self._set(topic, append, "attribute_exists(photos) AND taken < size(photos)", values)

    def _set(self, topic: str, expression: str, condition: str, values: dict[str, Any]) -> bool:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(topic),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(topic: str) -> dict[str, Any]:
    return {"pk": to_attribute(spare_key(topic))}
