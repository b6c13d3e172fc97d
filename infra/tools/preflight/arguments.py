"""The arguments of `cdk deploy` that the checks use: `-c name=value`, `--profile` and `--region`."""

import argparse
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from infra.settings import Settings
from infra.tools.bundle import ROOT


def settings_of(arguments: Sequence[str]) -> Settings:
    """Return the settings of a deployment with these arguments. Raises ValueError naming an invalid one."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return Settings.from_context(context | dict(map(_assignment, _options(arguments).context)))


def session_of(arguments: Sequence[str], environment: Mapping[str, str]) -> boto3.Session:
    """Return a session with the profile and the region that cdk will use. Raises BotoCoreError.

    cdk prefers AWS_REGION to AWS_DEFAULT_REGION. boto3 reads only the latter.
    """
    options = _options(arguments)
    region = options.region or environment.get("AWS_REGION")
    return boto3.Session(profile_name=options.profile, region_name=region or None)


def aws_options(arguments: Sequence[str]) -> str:
    """Return the options for `aws` commands to use the same account and region, with a leading space."""
    options = _options(arguments)
    values = {"profile": options.profile, "region": options.region}
    return "".join(f" --{name} {shlex.quote(value)}" for name, value in values.items() if value)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments. Raises ValueError for an option without a value."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("--profile")
    parser.add_argument("--region")
    try:
        return parser.parse_known_args(arguments)[0]
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from None


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:  # cdk would ignore the setting
        raise ValueError(f"setting {name} has no value; use -c {name}=…")
    return name, value
