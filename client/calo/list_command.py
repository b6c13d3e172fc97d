"""`calo jobs` and `calo kinds`."""

import argparse
from datetime import datetime
from itertools import islice
from typing import Any

from calo.change import Change
from calo.client import Calo
from calo.terminal import describe, print_json, print_table


def jobs(calo: Calo, options: argparse.Namespace) -> int:
    """List the newest jobs."""
    names = ("status", "kind", "code", "text", "owner")
    filters = {name: value for name in names if (value := getattr(options, name))}
    with calo as client:
        newest = list(islice(client.jobs(**filters), options.limit))
        labels = {} if options.json else {kind["name"]: kind.get("label") for kind in client.kinds()}
    if options.json:
        for job in newest:
            print_json(job.data)
        return 0
    print_table(
        ("created", "id", "kind", "", "state"),
        ([_time(job.created_at), job.id, job.kind, _label(job, labels), describe(job)] for job in newest),
    )
    return 0


def kinds(calo: Calo, options: argparse.Namespace) -> int:
    """List the kinds and their input."""
    with calo as client:
        declared = client.kinds()
    if options.json:
        print_json(declared)
        return 0
    print_table(
        ("kind", "title", "input"),
        ([kind["name"], kind["title"], _fields(kind["input"])] for kind in declared),
    )
    return 0


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    return " ".join(f"{name}=" if name in required else f"[{name}=]" for name in schema.get("properties", {}))


def _label(job: Change, labels: dict[str, Any]) -> str:
    return str(job.input.get(labels.get(job.kind) or "", ""))[:40]


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000):%Y-%m-%d %H:%M:%S}"
