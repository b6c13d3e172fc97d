"""Between Python values and DynamoDB attributes (numbers are whole numbers here), and reading many items."""

from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, dict[str, Any]]


class _WholeNumbers(TypeDeserializer):  # type: ignore[misc]  # boto3 has no types
    """botocore's own deserializer gives Decimals, which json cannot write."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)


_serializer = TypeSerializer()
_deserializer = _WholeNumbers()


def to_attribute(value: Any) -> dict[str, Any]:
    """One value as an attribute. Raises TypeError for a type that DynamoDB does not have."""
    attribute: dict[str, Any] = _serializer.serialize(value)
    return attribute


def to_item(values: dict[str, Any]) -> Item:
    """A whole item, or the values of an expression."""
    return {name: to_attribute(value) for name, value in values.items()}


def from_item(item: Item) -> dict[str, Any]:
    """The plain values of an item."""
    return {name: _deserializer.deserialize(attribute) for name, attribute in item.items()}


def batch_get(dynamodb: Any, table: str, keys: list[Item]) -> list[Item]:
    """The items that exist of up to 100 keys, as they are now; asks again for what was left unread."""
    items: list[Item] = []
    request: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
    while request:
        answer = dynamodb.batch_get_item(RequestItems=request)
        items += answer["Responses"].get(table, [])
        request = answer.get("UnprocessedKeys") or {}
    return items
