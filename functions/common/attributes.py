"""Convert between Python values and DynamoDB attributes. All numbers are whole numbers."""

from typing import TYPE_CHECKING, Any, TypeAlias

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Attribute: TypeAlias = AttributeValueTypeDef
else:  # the stubs are installed for development only
    Attribute: TypeAlias = dict[str, Any]

Item: TypeAlias = dict[str, Attribute]


class _WholeNumberDeserializer(TypeDeserializer):
    """Return integers. The base class returns Decimals, which `json` cannot serialize."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)


_serializer = TypeSerializer()
_deserializer = _WholeNumberDeserializer()


def to_attribute(value: Any) -> Attribute:
    """Convert one value. Raises TypeError for a type that DynamoDB does not support."""
    return _serializer.serialize(value)


def to_item(values: dict[str, Any]) -> Item:
    """Convert a whole item, or the values of an expression. A value that is None is left out."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Item) -> dict[str, Any]:
    """Convert an item to plain values."""
    return {name: _deserializer.deserialize(attribute) for name, attribute in item.items()}
