"""`make deploy`: check first, deploy all stacks to the caller's account, then say what is next.

Arguments are passed on to `cdk deploy`, like `-c rate_limit=5000`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.bundle import BUILD
from infra.preflight.__main__ import preflight, report, session_of, settings_of
from infra.preflight.finding import one_line
from infra.preflight.machine import Machine
from infra.settings import Settings

OUTPUTS = BUILD / "outputs.json"
Outputs = dict[str, dict[str, str]]


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 1 if the checks say stop, else that of `cdk deploy`."""
    try:
        settings = settings_of(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1

    def session() -> Any:
        return session_of(arguments, os.environ)

    if report(preflight(settings, Machine(os.environ), session)):
        print("\nNothing was deployed. Each line with `stop` says what to do.", file=sys.stderr)
        return 1
    return deploy(arguments, settings, _run, lambda service: session().client(service))


def deploy(
    arguments: Sequence[str],
    settings: Settings,
    run: Callable[[Sequence[str]], int],
    client: Callable[[str], Any],
) -> int:
    """Run `cdk deploy` and print what to do next. Returns its exit status."""
    BUILD.mkdir(exist_ok=True)
    OUTPUTS.unlink(missing_ok=True)  # an earlier deployment's
    status = run(["deploy", "--all", "--no-notices", "--outputs-file", str(OUTPUTS), *arguments])
    if status == 0 and OUTPUTS.exists():  # `--no-execute` and the like write none
        print(next_steps(json.loads(OUTPUTS.read_text())))
        try:
            print(left_over(settings, client("cloudformation")), end="")
        except (BotoCoreError, ClientError) as error:
            print(f"Stacks that the settings leave out were not looked for: {one_line(error)}")
    return status


def next_steps(outputs: Outputs) -> str:
    """What to do after a deployment, from the stacks' outputs."""
    api = outputs["CaloApi"]["ApiUrl"].rstrip("/")
    secret = outputs["CaloJobs"]["UnsplashSecret"]
    watch = (
        f"curl -N {api}/live" if "CaloLive" in outputs else f"curl {api}/jobs   # deployed without the relay"
    )
    site = f"The web app is at {outputs['CaloWeb']['SiteUrl']}\n" if "CaloWeb" in outputs else ""
    return f"""
{site}The API is at {api}

Next: put your Unsplash access key (https://unsplash.com/oauth/applications) into its secret,

  aws secretsmanager put-secret-value --secret-id '{secret}' --secret-string YOUR_ACCESS_KEY

then ask for a photo and watch it come:

  curl -X POST {api}/jobs -d '{{"query":"pasta"}}'
  {watch}
"""


def left_over(settings: Settings, cloudformation: Any) -> str:
    """How to delete the stacks that an earlier deployment made and these settings leave out."""
    wanted = {"CaloOps": settings.ops, "CaloWeb": settings.web, "CaloLive": settings.live}
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    deployed = {stack["StackName"] for page in pages for stack in page["Stacks"]}
    names = [name for name, is_wanted in wanted.items() if name in deployed and not is_wanted]
    if not names:
        return ""
    commands = [
        f"  aws cloudformation {verb} --stack-name {name}\n"
        for name in names
        for verb in ("delete-stack", "wait stack-delete-complete")
    ]
    because = "is still deployed and costs, although the settings leave it out. To delete it:"
    return f"{' and '.join(names)} {because}\n\n{''.join(commands)}\n"


def _run(arguments: Sequence[str]) -> int:
    cdk = Path(sys.executable).with_name("cdk")
    # the app and the command need the Node of this environment
    path = f"{cdk.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(cdk), *arguments]
    return subprocess.run(command, check=False, env={**os.environ, "PATH": path}).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
