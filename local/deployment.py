"""Deploying the CDK app to an emulator with the real `cdk` command."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.processes import StartError

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True)
class Deployment:
    """An emulator to deploy to, at `endpoint`; `folder` takes templates, outputs and logs."""

    endpoint: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """For every process that is to talk to the emulator, and to it alone: the caller's own
        credentials and profile are left out."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PATH": f"{BIN}{os.pathsep}{kept.get('PATH', '')}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def synth(self, settings: Mapping[str, str]) -> None:
        """Write the templates. Needs no emulator yet."""
        context = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._cdk("synth", "--quiet", "--output", str(self._assembly), *context, cwd=ROOT)

    def bootstrap(self) -> None:
        """Make the bucket and roles that `cdk deploy` uses; quick, from a folder without an app."""
        self._cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=self.folder)

    def allow_plain_http(self) -> None:
        """An emulator that enforces policies refuses its own bucket for assets, since it has no TLS."""
        with closing(self.client("s3")) as s3:
            s3.delete_bucket_policy(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}")

    def deploy(self) -> dict[str, str]:
        """Deploy all stacks. Returns their outputs in one dictionary."""
        outputs = self.folder / "outputs.json"
        self._cdk(
            "deploy", "--all", "--app", str(self._assembly), "--require-approval", "never",
            "--outputs-file", str(outputs), "--progress", "events", cwd=self.folder,
        )  # fmt: skip
        stacks: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return {name: value for stack in stacks.values() for name, value in stack.items()}

    def complete(self, outputs: Mapping[str, str], access_key: str) -> None:
        """What a deployment needs besides: the access key, and what MiniStack's CloudFormation drops."""
        with closing(self.client("secretsmanager")) as secrets:
            secrets.put_secret_value(SecretId=outputs["UnsplashSecret"], SecretString=access_key)
        with closing(self.client("dynamodb")) as dynamodb:
            for table in (outputs["JobsTable"], outputs["LedgerTable"]):
                dynamodb.update_time_to_live(
                    TableName=table,
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
                )
        with closing(self.client("apigateway")) as apigateway:
            _throttle_calls(apigateway, outputs["ApiId"])

    def mend_grants(self, outputs: Mapping[str, str]) -> None:
        """Two grants that AWS reads otherwise than MiniStack does when it enforces them: it asks for
        `sqs:SendMessageBatch`, which in AWS is covered by `sqs:SendMessage`, and its CloudFormation puts
        a secret's name where AWS puts the ARN."""
        secret = outputs["UnsplashSecret"]
        with closing(self.client("secretsmanager")) as secrets:
            arn = secrets.describe_secret(SecretId=secret)["ARN"]
        with closing(self.client("iam")) as iam:
            for role in iam.list_roles()["Roles"]:
                name = role["RoleName"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                    mended = json.dumps(document).replace(f'"{secret}"', f'"{arn}"')
                    mended = mended.replace(
                        '"sqs:SendMessage"', '["sqs:SendMessage", "sqs:SendMessageBatch"]'
                    )
                    iam.put_role_policy(
                        RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(_flat(json.loads(mended)))
                    )

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )

    @property
    def _assembly(self) -> Path:
        return self.folder / "cdk.out"

    def _cdk(self, verb: str, *arguments: str, cwd: Path) -> None:
        log = self.folder / f"cdk-{verb}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                [str(BIN / "cdk"), verb, "--no-notices", *arguments],
                cwd=cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
            raise StartError(f"cdk {verb} failed (whole log: {log}):\n{tail}")


def _throttle_calls(apigateway: Any, api_id: str) -> None:
    """Throttles of single calls: MiniStack's CloudFormation keeps them under names that it never reads."""
    stage = {"restApiId": api_id, "stageName": "api"}
    settings = apigateway.get_stage(**stage).get("methodSettings", {})
    limits = {"rateLimit": "throttlingRateLimit", "burstLimit": "throttlingBurstLimit"}
    patch = [
        {"op": "replace", "path": f"{call}/throttling/{limit}", "value": str(values[name])}
        for call, values in settings.items()
        if call.startswith("/~1")
        for limit, name in limits.items()
    ]
    apigateway.update_stage(**stage, patchOperations=patch)


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """A policy whose lists of actions may hold lists, without those."""
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [one for part in actions for one in ([part] if isinstance(part, str) else part)]
    return document
