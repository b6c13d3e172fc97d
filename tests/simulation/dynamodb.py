"""DynamoDB of the simulation: moto's tables without HTTP, and a client that a simulated process uses."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from tests.tables import table_requests

REGION = "us-east-1"
NEWER = "newer"
"""An attribute that only a newer version of a function writes."""
ACCOUNT = "123456789012"
OnChange = Callable[[dict[str, Any] | None, dict[str, Any] | None], None]
"""Called with the images of an item before and after a write."""


class ConditionalCheckFailed(ClientError):
    """The condition of a write does not hold."""


class TransactionCanceled(ClientError):
    """A transaction was not made."""


class _Handler(DynamoHandler):
    """Calls moto's operations with parameters instead of an HTTP request."""

    def __init__(self) -> None:
        super().__init__()
        self.region = REGION
        self.current_account = ACCOUNT
        self.headers: dict[str, str] = {}
        self.querystring: dict[str, Any] = {}


class Tables:
    """The tables `jobs` and `ledger`. `on_change` gets every change in `jobs`, in the order of the writes."""

    def __init__(self, on_change: OnChange) -> None:
        dynamodb_backends[ACCOUNT][REGION] = DynamoDBBackend(REGION, ACCOUNT)
        self._handler = _Handler()
        self._on_change = on_change
        for request in table_requests():
            self._handler.body = self._handler.params = request
            self._handler.create_table()

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Make a call. Raises what botocore raises for it."""
        before = self._images(operation, parameters)
        self._handler.body = self._handler.params = _copy(parameters)
        try:
            with _tables_copied_once():
                result: Any = getattr(self._handler, operation)()
        except (JsonRESTError, ServiceException) as error:
            raise _client_error(error, operation) from error
        for item_id, old in before.items():
            new = self.item("jobs", "id", item_id)
            if new != old:
                self._on_change(old, new)
        return dict(result.result) if hasattr(result, "result") else dict(result)

    def item(self, table: str, key: str, value: str) -> dict[str, Any] | None:
        item = dynamodb_backends[ACCOUNT][REGION].get_item(table, {key: {"S": value}})
        return None if item is None else _copy(item.to_json()["Attributes"])

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return all items, for checks."""
        content = dynamodb_backends[ACCOUNT][REGION].get_table(table).all_items()
        return [_copy(item.to_json()["Attributes"]) for item in content]

    def _images(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the items of the jobs table that a call writes, as they are now."""
        writes = [parameters] if operation in ("put_item", "update_item") else []
        writes += [write for entry in parameters.get("TransactItems", ()) for write in entry.values()]
        keys = [write.get("Key") or write["Item"] for write in writes if write["TableName"] == "jobs"]
        return {key["id"]["S"]: self.item("jobs", "id", key["id"]["S"]) for key in keys}


@contextmanager
def _tables_copied_once() -> Iterator[None]:
    """Let moto copy a table once in a transaction. It would copy it for each write, which takes most time."""
    copies: dict[int, Any] = {}

    def deepcopy(value: Any) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value)
        if id(value) not in copies:
            copies[id(value)] = copy.deepcopy(value)
        return copies[id(value)]

    with patch.object(models, "copy", SimpleNamespace(deepcopy=deepcopy)):
        yield


def _copy(value: Any) -> Any:
    """Return a copy of a value of JSON. It is several times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _client_error(error: JsonRESTError | ServiceException, operation: str) -> ClientError:
    code = str(error.error_type if isinstance(error, JsonRESTError) else error.code)
    classes = {
        "ConditionalCheckFailedException": ConditionalCheckFailed,
        "TransactionCanceledException": TransactionCanceled,
    }
    short = code.rsplit("#", 1)[-1]
    return classes.get(short, ClientError)({"Error": {"Code": short, "Message": str(error)}}, operation)


class _Exceptions:
    ConditionalCheckFailedException = ConditionalCheckFailed
    TransactionCanceledException = TransactionCanceled


class DynamoDBClient:
    """What a process uses instead of boto3's client. Each call passes the process's gate."""

    exceptions = _Exceptions

    def __init__(
        self,
        tables: Tables,
        gate: Callable[[str, dict[str, Any], Callable[[], Any]], Any],
        *,
        is_newer: bool = False,
    ) -> None:
        self._tables = tables
        self._gate = gate
        self._is_newer = is_newer

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**parameters: Any) -> dict[str, Any]:
            if self._is_newer:
                _add_newer_field(parameters)
            result: dict[str, Any] = self._gate(
                f"dynamodb.{operation}", parameters, lambda: self._tables.call(operation, parameters)
            )
            return result

        return call

    def get_paginator(self, operation: str) -> "_Paginator":
        return _Paginator(getattr(self, operation))


def _add_newer_field(parameters: dict[str, Any]) -> None:
    """Let a write also set an attribute that this version does not know."""
    value = {"S": "of a newer version"}
    if "Item" in parameters:
        parameters["Item"] = {**parameters["Item"], NEWER: value}
    elif parameters.get("UpdateExpression", "").startswith("ADD "):
        parameters["UpdateExpression"] += f" SET {NEWER} = :newer"
        parameters["ExpressionAttributeValues"] = {**parameters["ExpressionAttributeValues"], ":newer": value}
    elif parameters.get("UpdateExpression", "").startswith("SET "):
        parameters["UpdateExpression"] = f"SET {NEWER} = :newer, {parameters['UpdateExpression'][4:]}"
        parameters["ExpressionAttributeValues"] = {**parameters["ExpressionAttributeValues"], ":newer": value}
    for entry in parameters.get("TransactItems", ()):
        for write in entry.values():
            _add_newer_field(write)


class _Paginator:
    def __init__(self, call: Callable[..., dict[str, Any]]) -> None:
        self._call = call

    def paginate(self, PaginationConfig: dict[str, int], **parameters: Any) -> Iterator[dict[str, Any]]:
        limit = {"Limit": PaginationConfig["PageSize"]} if PaginationConfig else {}
        page = self._call(**parameters, **limit)
        yield page
        while start := page.get("LastEvaluatedKey"):
            page = self._call(**parameters, **limit, ExclusiveStartKey=start)
            yield page
