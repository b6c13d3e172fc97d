"""Where an emulator of AWS answers, and how it is talked to."""

import os
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

BIN = Path(sys.executable).parent
MINISTACK = Path(__file__).resolve().parent.parent / ".venv-emulator" / "bin" / "ministack"
VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
"""What names an emulator that runs already."""


@dataclass(frozen=True)
class Emulator:
    """An emulator at `endpoint`, with the credentials that every client of it has."""

    endpoint: str
    access_key: str = "test"
    secret_key: str = "test"  # noqa: S105  # an emulator's
    region: str = "us-east-1"

    @classmethod
    def named(cls, environment: Mapping[str, str]) -> "Emulator | None":
        """The one that AWS_ENDPOINT_URL names, with the usual variables' credentials and region; None
        without that variable, whatever the others say: those are then for AWS itself."""
        if "AWS_ENDPOINT_URL" not in environment:
            return None
        given = dict(zip(("endpoint", "access_key", "secret_key", "region"), VARIABLES, strict=True))
        return cls(**{name: environment[one] for name, one in given.items() if one in environment})

    @property
    def environment(self) -> dict[str, str]:
        """For every process that is to talk to the emulator, and to it alone: the caller's own
        credentials and profile are left out."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PATH": f"{BIN}{os.pathsep}{kept.get('PATH', '')}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator. It uses no proxy, whatever the caller's environment says."""
        return self._session.client(service, endpoint_url=self.endpoint, config=Config(proxies={}))

    @cached_property
    def _session(self) -> boto3.Session:
        """A session that ignores the caller's AWS_PROFILE, which may not even exist."""
        core = botocore.session.Session({"profile": (None, None, None, None)})  # reads it from nowhere
        return boto3.Session(
            botocore_session=core,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )

    def account(self) -> str:
        """The account that the credentials are of. Raises botocore's errors."""
        with closing(self.client("sts")) as sts:
            return str(sts.get_caller_identity()["Account"])


def ministack_environment(port: int, scratch: Path) -> dict[str, str]:
    """Return what a MiniStack on this port of the loopback address starts with.

    Nothing of the caller's is in it, because all of it would be in the Lambdas' environments too.
    """
    return {
        "PATH": f"{MINISTACK.parent}{os.pathsep}{os.defpath}",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
    }
