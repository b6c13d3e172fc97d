"""The tables of the system, as requests of CreateTable: for tests with moto."""

from typing import Any

INDEXES = {
    "by-created": ("list_shard", "created_key"),
    "by-status": ("status_shard", "created_key"),
    "by-kind": ("kind_shard", "created_key"),
    "by-updated": ("list_shard", "changed_at"),
    "by-due": ("due_shard", "wake_at"),
    "by-all": ("all_shard", "created_key"),
}
NUMBERS = ("changed_at", "wake_at")
KEYS_ONLY: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
PROJECTIONS: dict[str, Any] = {
    "by-all": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status", "kind", "owner", "code"]}
}


def table_requests() -> list[dict[str, Any]]:
    """Return the requests for the tables `jobs` and `ledger`."""
    indexes = [
        {"IndexName": name, "KeySchema": _keys(*pair), "Projection": PROJECTIONS.get(name, KEYS_ONLY)}
        for name, pair in INDEXES.items()
    ]
    columns = {name for pair in INDEXES.values() for name in pair}
    return [_table("jobs", "id", *columns, GlobalSecondaryIndexes=indexes), _table("ledger", "pk")]


def _table(name: str, key: str, *columns: str, **options: Any) -> dict[str, Any]:
    types = {column: "N" if column in NUMBERS else "S" for column in (key, *sorted(columns))}
    return {
        "TableName": name,
        "KeySchema": _keys(key),
        "AttributeDefinitions": [
            {"AttributeName": column, "AttributeType": kind} for column, kind in types.items()
        ],
        "BillingMode": "PAY_PER_REQUEST",
        **options,
    }


def _keys(*names: str) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, kinds, strict=False)]
