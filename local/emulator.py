"""An emulator of AWS: its endpoint, credentials and clients."""

import os
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from calo.aws import emulator_client, session

BIN = Path(sys.executable).parent
MINISTACK = Path(__file__).resolve().parent.parent / ".venv-emulator" / "bin" / "ministack"
VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
"""The variables that describe an emulator that is already running."""
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "JSII_RUNTIME_PACKAGE_CACHE_ROOT")


@dataclass(frozen=True)
class Emulator:
    """An emulator at `endpoint`, and the credentials of its clients."""

    endpoint: str
    access_key: str = "test"
    secret_key: str = "test"  # noqa: S105  # an emulator's
    region: str = "us-east-1"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Emulator | None":
        """Return the emulator at AWS_ENDPOINT_URL, with credentials and region of the usual variables.

        Returns None without AWS_ENDPOINT_URL: the other variables are then for AWS itself.
        """
        if "AWS_ENDPOINT_URL" not in environment:
            return None
        given = dict(zip(("endpoint", "access_key", "secret_key", "region"), VARIABLES, strict=True))
        return cls(
            **{name: environment[variable] for name, variable in given.items() if variable in environment}
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of processes that use the emulator.

        It does not contain the caller's own credentials and profile, so they cannot reach AWS.
        """
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {
            **inherited,
            "PATH": f"{BIN}{os.pathsep}{inherited.get('PATH', '')}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_VALIDATION": "false",  # it takes seconds, and what it finds is only printed
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client of the emulator, which ignores the environment's profile and proxies."""
        return emulator_client(self._session, service, self.endpoint)

    @cached_property
    def _session(self) -> Any:
        return session(
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )

    def account(self) -> str:
        """Return the credentials' account. Raises botocore's errors."""
        with closing(self.client("sts")) as sts:
            return str(sts.get_caller_identity()["Account"])


def ministack_environment(port: int, scratch: Path) -> dict[str, str]:
    """Return the environment of a MiniStack on this port of the loopback address.

    It contains nothing of the caller's environment, because the functions would inherit it.
    """
    return {
        "PATH": f"{MINISTACK.parent}{os.pathsep}{os.defpath}",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
    }
