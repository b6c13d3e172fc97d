"""What a deployment would do to what is deployed: the difference between two templates of one stack.

Whether a change replaces a resource is said by CloudFormation's own schemas, which cfn-lint carries: a
property that can be set only when the resource is made is named there as create-only.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

Resource = dict[str, Any]

STATEFUL = {
    "AWS::DynamoDB::Table": "its items",
    "AWS::DynamoDB::GlobalTable": "its items",
    "AWS::S3::Bucket": "its objects",
    "AWS::SQS::Queue": "its messages",
    "AWS::SNS::Topic": "its subscriptions",
    "AWS::SecretsManager::Secret": "its value",
    "AWS::ApiGateway::RestApi": "the address that callers know",
    "AWS::ApiGateway::ApiKey": "the key that callers know",
    "AWS::CloudFront::Distribution": "the address that stored images are known by",
}
"""Kinds whose replacement loses something, and what. Logs are not among them: only people read those."""


@dataclass(frozen=True)
class Change:
    """Of one resource. `properties` are the changed ones' names; `loss` is empty if nothing is lost."""

    sign: str
    kind: str
    name: str
    properties: tuple[str, ...] = ()
    loss: str = ""

    def __str__(self) -> str:
        what = f": {', '.join(self.properties)}" if self.properties else ""
        lost = f"   <-- {self.loss}" if self.loss else ""
        return f"{self.sign} {self.kind} {self.name}{what}{lost}"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """From one template to the other, in the order of the resources' names."""
    old, new = before.get("Resources", {}), after.get("Resources", {})
    found = (_change(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
    return [change for change in found if change is not None]


def _change(name: str, old: Resource | None, new: Resource | None) -> Change | None:
    if old is None:
        return Change("+", new["Type"], name) if new else None
    kind = old["Type"]
    if new is None or new["Type"] != kind:
        return Change("-", kind, name, loss=_loss(kind, "removed"))
    changed = tuple(_changed(old, new))
    if not changed:
        return None
    return Change("~", kind, name, changed, _loss_by_change(old, new))


def _changed(old: Resource, new: Resource) -> Iterator[str]:
    """Names of properties that differ, and of what else matters."""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    yield from (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    yield from (name for name in ("DeletionPolicy", "UpdateReplacePolicy") if old.get(name) != new.get(name))


def _loss_by_change(old: Resource, new: Resource) -> str:
    kind = old["Type"]
    if kind not in STATEFUL:
        return ""
    fixed = [path for path in _create_only(kind) if _at(old, path) != _at(new, path)]
    if fixed:
        return _loss(kind, f"replaced, for {', '.join(path.rsplit('/', 1)[1] for path in fixed)} is fixed")
    if old.get("DeletionPolicy") == "Retain" != new.get("DeletionPolicy"):
        return _loss(kind, "no longer kept when its stack is deleted")
    return ""


def _loss(kind: str, fate: str) -> str:
    return f"{fate}, and with it {STATEFUL[kind]}" if kind in STATEFUL else ""


def _create_only(kind: str) -> list[str]:
    """JSON pointers, those too that are so under conditions only."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    names = ("createOnlyProperties", "conditionalCreateOnlyProperties")
    return [path for name in names for path in schema.get(name, [])]


def _at(resource: Resource, path: str) -> str:
    """What is at `/properties/A/B`, comparable; a part `*` stands for every element of a list."""
    values: list[Any] = [resource.get("Properties", {})]
    for part in path.split("/")[2:]:
        inner = (value for value in values if isinstance(value, (dict, list)))
        values = [
            one
            for value in inner
            for one in (value if part == "*" else [value.get(part)] if isinstance(value, dict) else [])
        ]
    return json.dumps(values, sort_keys=True)
