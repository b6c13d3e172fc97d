"""The schedules in the jobs table. Every write is conditional.

One item for each owner has the ids of the owner's schedules. It is written together with a schedule that is
created or deleted, so their number is exact, and a list is as new as the table.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from functions.common.attributes import Item, from_item, to_attribute, to_item
from functions.common.errors import Damaged, WriteConflict
from functions.common.identity import PUBLIC_OWNER
from functions.common.job import to_json
from functions.common.observability import report_damaged
from functions.common.schedule import Schedule, due_keys, item_id
from functions.common.table import Table, assign

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_SCHEDULES = 100
"""Of one owner, so that one call reads them all."""
MAX_ATTEMPTS = 5


class TooManySchedules(Exception):
    """The owner has as many schedules as an owner may have."""


class ScheduleStore:
    """The schedules behind a boto3 DynamoDB client. Every method may raise botocore's errors."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        table: str,
        on_damaged: Callable[[str, str, Exception], object] = report_damaged,
    ) -> None:
        self._table = Table(dynamodb, table)
        self._on_damaged = on_damaged

    def create(self, schedule: Schedule) -> None:
        """Write a new schedule. Raises TooManySchedules, or WriteConflict if others are written all
        the time.
        """
        add = {
            "Key": owner_key(schedule.owner),
            "UpdateExpression": "ADD schedule_ids :ids",
            "ConditionExpression": "attribute_not_exists(schedule_ids) OR size(schedule_ids) < :limit",
            "ExpressionAttributeValues": to_item({":ids": {schedule.id}, ":limit": MAX_SCHEDULES}),
        }
        put = {"Item": schedule.to_item(), "ConditionExpression": "attribute_not_exists(id)"}
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self._table.transact([{"Put": put}, {"Update": add}])
                return
            except WriteConflict:
                if len(self._ids(schedule.owner)) >= MAX_SCHEDULES:
                    raise TooManySchedules from None
                if attempt == MAX_ATTEMPTS:
                    raise

    def get(self, schedule_id: str, owner: str | None = None) -> Schedule | None:
        """Return a schedule, or None if it does not exist or is not the given owner's. Raises Damaged.

        The owner is checked first: a caller must not learn that another's schedule is damaged.
        """
        item = self._item(schedule_id, owner)
        return None if item is None else Schedule.from_item(item)

    def get_all(self, owner: str) -> list[Schedule]:
        """Return an owner's schedules, the newest first."""
        schedules = self.get_many(self._ids(owner))
        return sorted(schedules, key=lambda schedule: (schedule.created_at, schedule.id), reverse=True)

    def get_many(self, schedule_ids: Iterable[str]) -> list[Schedule]:
        """Return the existing schedules of up to 100 ids. Damaged ones are reported and left out."""
        keys = [_key(schedule_id) for schedule_id in schedule_ids]
        items = self._table.get_many(keys) if keys else []
        return [schedule for item in items if (schedule := self._decode(item))]

    def update(self, schedule: Schedule, values: dict[str, Any]) -> Schedule | None:
        """Set fields of a schedule. Return it as it is now, or None if it has changed since it was read."""
        new_values = {**values, "version": schedule.version + 1}
        if "wake_at" in values:
            new_values |= due_keys(schedule.id, values["wake_at"])
        if "input" in values:
            new_values["input"] = to_json(values["input"])
        expression, names, new = assign(new_values)
        item = self._table.update(
            _key(schedule.id),
            expression,
            "#version = :expected",
            {**new, ":expected": schedule.version},
            names=names,
            returns="ALL_NEW",
        )
        return None if item is None else Schedule.from_item(item)

    def delete(self, schedule_id: str, owner: str | None = None) -> bool:
        """Delete a schedule, also a damaged one. Return False if it does not exist or is another owner's.

        Raises WriteConflict if others are written all the time.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            item = self._item(schedule_id, owner)
            if item is None:
                return False
            remove = {
                "Key": owner_key(_owner(item)),
                "UpdateExpression": "DELETE schedule_ids :ids",
                "ExpressionAttributeValues": to_item({":ids": {schedule_id}}),
            }
            delete = {"Key": _key(schedule_id), "ConditionExpression": "attribute_exists(id)"}
            try:
                self._table.transact([{"Delete": delete}, {"Update": remove}])
            except WriteConflict:
                if attempt == MAX_ATTEMPTS:
                    raise
            else:
                return True
        return False

    def _item(self, schedule_id: str, owner: str | None) -> Item | None:
        item = self._table.get(_key(schedule_id))
        return item if item is not None and owner in (None, _owner(item)) else None

    def _ids(self, owner: str) -> set[str]:
        item = self._table.get(owner_key(owner))
        ids: set[str] = from_item(item).get("schedule_ids", set()) if item else set()
        return ids

    def _decode(self, item: Item) -> Schedule | None:
        try:
            return Schedule.from_item(item)
        except Damaged as reason:
            self._on_damaged("jobs table", str(item.get("id")), reason)
            return None


def _owner(item: Item) -> str:
    return item.get("owner", {}).get("S", PUBLIC_OWNER)


def _key(schedule_id: str) -> Item:
    return {"id": to_attribute(item_id(schedule_id))}


def owner_key(owner: str) -> Item:
    """Return the key of the item that lists an owner's schedules."""
    return {"id": to_attribute(f"schedules#{owner}")}
