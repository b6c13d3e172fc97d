"""`make deploy`: deploy all stacks to the caller's account, then say where the API is and what is next.

Arguments are passed on to `cdk deploy`, like `-c rate_limit=5000`.
"""

import json
import subprocess
import sys
from pathlib import Path

from infra.bundle import BUILD

OUTPUTS = BUILD / "outputs.json"


def main(arguments: list[str]) -> int:
    """Returns the exit status of `cdk deploy`."""
    BUILD.mkdir(exist_ok=True)
    cdk = Path(sys.executable).with_name("cdk")
    command = [str(cdk), "deploy", "--all", "--no-notices", "--outputs-file", str(OUTPUTS), *arguments]
    status = subprocess.run(command, check=False).returncode  # noqa: S603
    if status == 0:
        print(next_steps(json.loads(OUTPUTS.read_text())))
    return status


def next_steps(outputs: dict[str, dict[str, str]]) -> str:
    """What to tell the one who has deployed, from the stacks' outputs."""
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
