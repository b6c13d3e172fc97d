"""Access to one DynamoDB table: consistent reads, conditional writes and index queries."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from functions.common.attributes import Item, to_attribute, to_item
from functions.common.errors import WriteConflict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.literals import ReturnValueType
    from types_boto3_dynamodb.type_defs import KeysAndAttributesUnionTypeDef

T = TypeVar("T")


class Table:
    """A table behind a boto3 DynamoDB client. Every method may raise botocore's errors."""

    def __init__(self, dynamodb: "DynamoDBClient", name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def get(self, key: Item) -> Item | None:
        """Read an item consistently. Return None if it does not exist."""
        return self._dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item")

    def get_many(self, keys: list[Item]) -> list[Item]:
        """Return the existing items of up to 100 keys, read consistently.

        Repeat the call for keys that DynamoDB returned as unprocessed.
        """
        items: list[Item] = []
        request: dict[str, KeysAndAttributesUnionTypeDef]
        request = {self._name: {"Keys": keys, "ConsistentRead": True}}
        while request:
            response = self._dynamodb.batch_get_item(RequestItems=request)
            items += response["Responses"].get(self._name, [])
            request = {**(response.get("UnprocessedKeys") or {})}
        return items

    def create(self, item: Item, key_name: str) -> bool:
        """Write a new item. Return False if the key exists already."""
        response = self._write_if(
            self._dynamodb.put_item, Item=item, ConditionExpression=f"attribute_not_exists({key_name})"
        )
        return response is not None

    def update(
        self,
        key: Item,
        update: str,
        condition: str,
        values: dict[str, Any],
        *,
        names: Mapping[str, str] | None = None,
        returns: "ReturnValueType" = "NONE",
    ) -> Item | None:
        """Update one item if a condition holds. `values` and `names` are those of both expressions.

        Return the attributes that `returns` selects, or None if the condition does not hold.
        """
        expressions: dict[str, Any] = {"UpdateExpression": update, "ConditionExpression": condition}
        if names:
            expressions["ExpressionAttributeNames"] = names
        if values:
            expressions["ExpressionAttributeValues"] = to_item(values)
        response = self._write_if(self._dynamodb.update_item, Key=key, ReturnValues=returns, **expressions)
        return None if response is None else response.get("Attributes", {})

    def transact(self, writes: list[dict[str, Any]]) -> None:
        """Make all writes or none. A write is `{"Put": …}` or `{"Update": …}` without its TableName.

        Raises WriteConflict if a condition does not hold or another transaction writes the same items.
        """
        items: Any = [
            {kind: {"TableName": self._name, **parameters} for kind, parameters in write.items()}
            for write in writes
        ]
        try:
            self._dynamodb.transact_write_items(TransactItems=items)
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            raise WriteConflict(str(error)) from error

    def query(
        self,
        index: str,
        condition: str,
        values: dict[str, Any],
        *,
        newest_first: bool = False,
        page_size: int | None = None,
    ) -> Iterator[list[Item]]:
        """Yield the items of an index page by page, one call each. An index is eventually consistent."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ScanIndexForward=not newest_first,
            PaginationConfig={} if page_size is None else {"PageSize": page_size},
        )
        for page in pages:
            yield page["Items"]

    def _write_if(self, write: Callable[..., T], **parameters: Any) -> T | None:
        """Make a conditional write. Return None if the condition does not hold."""
        try:
            return write(TableName=self._name, **parameters)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None


def assign(values: Mapping[str, Any], *further: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the update expression that sets these attributes, its names and its values.

    An attribute that is None is removed. `further` are complete assignments.
    """
    assignments = [f"#{name} = :new_{name}" for name, value in values.items() if value is not None]
    removals = [f"#{name}" for name, value in values.items() if value is None]
    expression = "SET " + ", ".join([*assignments, *further])
    if removals:
        expression += " REMOVE " + ", ".join(removals)
    names = {f"#{name}": name for name in values}
    return expression, names, {f":new_{name}": value for name, value in values.items()}


class Items:
    """The items of the ledger whose keys begin with a prefix. Every method may raise botocore's errors."""

    def __init__(self, table: Table, prefix: str) -> None:
        self._table = table
        self._prefix = prefix

    def get(self, name: str) -> Item | None:
        """Read an item consistently. Return None if it does not exist."""
        return self._table.get(self._key(name))

    def update(
        self,
        name: str,
        update: str,
        condition: str,
        values: dict[str, Any],
        *,
        names: Mapping[str, str] | None = None,
        returns: "ReturnValueType" = "NONE",
    ) -> Item | None:
        """Update an item if a condition holds: see Table.update. `expires_at` (epoch seconds) is its TTL."""
        return self._table.update(self._key(name), update, condition, values, names=names, returns=returns)

    def _key(self, name: str) -> Item:
        return {"pk": to_attribute(f"{self._prefix}{name}")}
