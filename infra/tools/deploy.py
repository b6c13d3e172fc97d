"""`make deploy`: run the checks, deploy all stacks to the caller's account, and print the next steps.

Arguments are passed to `cdk deploy`, for example `-c budget.unsplash=5000`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.settings import Settings
from infra.tools.bundle import BUILD
from infra.tools.preflight.__main__ import check
from infra.tools.preflight.arguments import aws_options, session_of
from infra.tools.preflight.finding import BOTO_ERRORS, reason

OUTPUTS = BUILD / "outputs.json"
Outputs = dict[str, dict[str, str]]


def main(arguments: Sequence[str]) -> int:
    """Check and deploy. Returns the exit status: 1 if a check fails, otherwise that of `cdk deploy`."""
    settings = check(arguments)
    if settings is None:
        return 1
    client = session_of(arguments, os.environ).client
    return deploy(arguments, settings, run_cdk=_run_cdk, client=client)


def deploy(
    arguments: Sequence[str],
    settings: Settings,
    *,
    run_cdk: Callable[[Sequence[str]], int],
    client: Callable[[str], Any],
) -> int:
    """Run `cdk deploy` and print the next steps. Returns its exit status."""
    BUILD.mkdir(exist_ok=True)
    OUTPUTS.unlink(missing_ok=True)  # may exist from an earlier deployment
    status = run_cdk(["deploy", "--all", "--no-notices", "--outputs-file", str(OUTPUTS), *arguments])
    if status == 0 and OUTPUTS.exists():  # options such as `--no-execute` do not write outputs
        options = aws_options(arguments)
        print(next_steps(json.loads(OUTPUTS.read_text()), options))
        try:
            print(removal_steps(settings, client("cloudformation"), options), end="")
        except BOTO_ERRORS as error:
            print(f"Could not check for deployed stacks that the settings exclude: {reason(error)}")
    return status


def next_steps(outputs: Outputs, options: str = "") -> str:
    """Return the steps after a deployment, for the stacks' outputs. `options` are added to `aws` commands."""
    api = outputs["CaloApi"]["ApiUrl"].rstrip("/")
    secret = outputs["CaloJobs"]["UnsplashSecret"]
    watch = (
        f"curl -N {api}/live" if "CaloLive" in outputs else f"curl {api}/jobs   # deployed without the relay"
    )
    site = f"The web app is at {outputs['CaloWeb']['SiteUrl']}\n" if "CaloWeb" in outputs else ""
    return f"""
{site}The API is at {api}

Next: put your Unsplash access key (https://unsplash.com/oauth/applications) into its secret,

  aws secretsmanager put-secret-value --secret-id '{secret}' --secret-string YOUR_ACCESS_KEY{options}

then create a job and follow it:

  curl -X POST {api}/jobs -d '{{"query":"pasta"}}'
  {watch}
"""


def removal_steps(settings: Settings, cloudformation: Any, options: str = "") -> str:
    """Return how to delete deployed stacks that the settings exclude, or an empty string.

    `cdk deploy` does not delete them. Stacks that depend on others are deleted first. Raises botocore's
    errors.
    """
    included = {"CaloOps": settings.ops, "CaloWeb": settings.web, "CaloLive": settings.live}
    deployed = _deployed_stacks(cloudformation)
    names = [name for name, is_included in included.items() if name in deployed and not is_included]
    if not names:
        return ""
    commands = [
        f"  aws cloudformation {verb} --stack-name {name}{options}\n"
        for name in names
        for verb in ("delete-stack", "wait stack-delete-complete")
    ]
    return f"""\
The settings exclude stacks that are still deployed and incur costs: {", ".join(names)}. To delete them:

{"".join(commands)}
"""


def _deployed_stacks(cloudformation: Any) -> set[str]:
    """Return the names of the stacks that exist and are not being deleted."""
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    stacks = [stack for page in pages for stack in page["Stacks"]]
    return {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_IN_PROGRESS"}


def _run_cdk(arguments: Sequence[str]) -> int:
    cdk = Path(sys.executable).with_name("cdk")
    # cdk and the app need Node from this virtual environment
    path = f"{cdk.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(cdk), *arguments]
    return subprocess.run(command, check=False, env={**os.environ, "PATH": path}).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
