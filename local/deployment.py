"""Deploys the CDK app to an emulator with the real `cdk` command."""

import json
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.names import construct_name
from local.emulator import BIN, Emulator
from local.processes import StartError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Deployment:
    """A deployment to an emulator. `folder` gets templates, outputs and logs."""

    emulator: Emulator
    folder: Path

    def synth(self, settings: Mapping[str, str]) -> None:
        """Write the templates. The emulator need not run yet."""
        context = [f"--context={name}={value}" for name, value in settings.items()]
        self._cdk("synth", "--quiet", "--output", str(self.assembly), *context, cwd=ROOT)

    def bootstrap(self) -> None:
        """Create the bucket and roles for `cdk deploy`, from a folder without an app, which is faster."""
        self._cdk("bootstrap", f"aws://{self.emulator.account()}/{self.emulator.region}", cwd=self.folder)

    def allow_plain_http(self) -> None:
        """Let the asset bucket accept HTTP: its policy requires TLS, which the emulator does not have."""
        with closing(self.emulator.client("s3")) as s3:
            account_and_region = f"{self.emulator.account()}-{self.emulator.region}"
            s3.delete_bucket_policy(Bucket=f"cdk-hnb659fds-assets-{account_and_region}")

    def deploy(self) -> dict[str, str]:
        """Deploy all stacks. Returns their outputs in one dictionary."""
        outputs = self.folder / "outputs.json"
        self._cdk(
            "deploy", "--all", "--app", str(self.assembly), "--require-approval", "never",
            "--outputs-file", str(outputs), "--progress", "events", cwd=self.folder,
        )  # fmt: skip
        stacks: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return {name: value for stack in stacks.values() for name, value in stack.items()}

    def destroy(self) -> None:
        """Delete all stacks."""
        self._cdk("destroy", "--all", "--app", str(self.assembly), "--force", cwd=self.folder)

    def complete(self, outputs: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Set the secrets, and the properties that MiniStack's CloudFormation ignores.

        The value of a secret is that of the environment variable with its name in upper case.
        """
        with closing(self.emulator.client("secretsmanager")) as secrets:
            values = {construct_name(name.lower()): value for name, value in environment.items() if value}
            for name, secret in _secrets(outputs).items():
                if name in values:
                    secrets.put_secret_value(SecretId=secret, SecretString=values[name])
        with closing(self.emulator.client("dynamodb")) as dynamodb:
            for table in (outputs["JobsTable"], outputs["LedgerTable"]):
                dynamodb.update_time_to_live(
                    TableName=table,
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
                )
        with closing(self.emulator.client("apigateway")) as apigateway:
            _throttle_calls(apigateway, outputs["ApiId"])

    def adapt_grants(self, outputs: Mapping[str, str]) -> None:
        """Adapt two grants to MiniStack, which interprets them differently from AWS.

        MiniStack requires `sqs:SendMessageBatch`, which `sqs:SendMessage` includes in AWS. Its CloudFormation
        inserts a secret's name where AWS inserts the ARN.
        """
        names = {value for name, value in outputs.items() if "Secret" in name}
        with closing(self.emulator.client("secretsmanager")) as secrets:
            arns = {secret: secrets.describe_secret(SecretId=secret)["ARN"] for secret in names}
        with closing(self.emulator.client("iam")) as iam:
            for role in iam.list_roles()["Roles"]:
                name = role["RoleName"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                    adapted = json.dumps(document)
                    for secret, arn in arns.items():
                        adapted = adapted.replace(f'"{secret}"', f'"{arn}"')
                    adapted = adapted.replace(
                        '"sqs:SendMessage"', '["sqs:SendMessage", "sqs:SendMessageBatch"]'
                    )
                    iam.put_role_policy(
                        RoleName=name,
                        PolicyName=policy,
                        PolicyDocument=json.dumps(_flatten_actions(json.loads(adapted))),
                    )

    @property
    def assembly(self) -> Path:
        """Return the folder of the templates."""
        return self.folder / "cdk.out"

    def _cdk(self, verb: str, *arguments: str, cwd: Path) -> None:
        log = self.folder / f"cdk-{verb}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                [str(BIN / "cdk"), verb, "--no-notices", *arguments],
                cwd=cwd,
                env=self.emulator.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
            raise StartError(f"cdk {verb} failed (complete log: {log}):\n{tail}")


def _secrets(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets of the kinds by name, in the form of construct ids."""
    prefix = "Secret"
    return {name.removeprefix(prefix): value for name, value in outputs.items() if name.startswith(prefix)}


def _throttle_calls(apigateway: Any, api_id: str) -> None:
    """Set the throttles of single calls, which MiniStack's CloudFormation ignores."""
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


def _flatten_actions(document: dict[str, Any]) -> dict[str, Any]:
    """Flatten the nested lists of actions in a policy."""
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [
            action for entry in actions for action in ([entry] if isinstance(entry, str) else entry)
        ]
    return document
