"""Convert between Python values and DynamoDB attributes."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Attribute: TypeAlias = AttributeValueTypeDef
else:  # the stubs are installed for development only
    Attribute: TypeAlias = dict[str, Any]

Item: TypeAlias = dict[str, Attribute]


class _Serializer(TypeSerializer):
    """Accept floats. The base class requires Decimals."""

    def serialize(self, value: Any) -> Any:
        return super().serialize(Decimal(str(value)) if isinstance(value, float) else value)


class _Deserializer(TypeDeserializer):
    """Return integers and floats. The base class returns Decimals, which `json` cannot serialize."""

    def _deserialize_n(self, value: str) -> int | float:
        try:
            return int(value)
        except ValueError:
            return float(value)


_serializer = _Serializer()
_deserializer = _Deserializer()


def to_attribute(value: Any) -> Attribute:
    """Convert one value. Raises TypeError for a type that DynamoDB does not support."""
    attribute: Attribute = _serializer.serialize(value)
    return attribute


def to_item(values: dict[str, Any]) -> Item:
    """Convert a whole item, or the values of an expression. A value that is None is left out."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Item) -> dict[str, Any]:
    """Convert an item to plain values."""
    return {name: _deserializer.deserialize(attribute) for name, attribute in item.items()}
