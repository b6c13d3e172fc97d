"""`calo schedules`: list, add, pause, resume and delete schedules."""

import argparse
from datetime import datetime
from typing import Any

from calo.blocking import BlockingCalo
from calo.client import Calo
from calo.fields import parse_fields, schema_of
from calo.terminal import print_json, print_table


def schedules(calo: Calo, options: argparse.Namespace) -> int:
    """List the schedules, or change one."""
    with calo as client:
        shown = options.action(client, options)
    if options.json:
        print_json(shown)
    else:
        print_table(("id", "kind", "input", "cron", "time zone", "next"), map(_row, shown))
    return 0


def list_all(client: BlockingCalo, _: argparse.Namespace) -> list[dict[str, Any]]:
    return list(client.call("GET", "/schedules")["data"])


def add(client: BlockingCalo, options: argparse.Namespace) -> list[dict[str, Any]]:
    fields = parse_fields(options.field, schema_of(options.kind, client.kinds()))
    body = {"kind": options.kind, "input": fields, "cron": options.cron, "timezone": options.timezone}
    return [client.call("POST", "/schedules", body=body)]


def pause(client: BlockingCalo, options: argparse.Namespace) -> list[dict[str, Any]]:
    return [client.call("PATCH", f"/schedules/{options.schedule}", body={"paused": True})]


def resume(client: BlockingCalo, options: argparse.Namespace) -> list[dict[str, Any]]:
    return [client.call("PATCH", f"/schedules/{options.schedule}", body={"paused": False})]


def delete(client: BlockingCalo, options: argparse.Namespace) -> list[dict[str, Any]]:
    client.call("DELETE", f"/schedules/{options.schedule}")
    return []


def _row(schedule: dict[str, Any]) -> list[str]:
    following = schedule["next"][0] if schedule["next"] else None
    state = "paused" if following is None else f"{datetime.fromtimestamp(following / 1000):%Y-%m-%d %H:%M}"
    words = " ".join(f"{name}={value}" for name, value in schedule["input"].items())
    return [schedule["id"], schedule["kind"], words, schedule["cron"], schedule["timezone"], state]
