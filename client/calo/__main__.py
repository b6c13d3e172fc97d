"""The `calo` command: `calo logs` shows what happened to a job, `calo redrive` retries failed jobs."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from uuid import UUID

from calo.api import Api, Job
from calo.deployment import Deployment, find_deployment
from calo.errors import CommandError
from calo.redrive import Redrive, count_codes
from calo.story import current_state, read_job, read_story


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns its exit status: 1 if there is nothing to show, 2 if it failed."""
    options = _parser().parse_args(arguments)
    try:
        return int(_run(options))
    except CommandError as error:
        print(f"calo: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise CommandError("this needs boto3; run: pip install 'calo[aws]'") from None
    try:
        deployment = find_deployment(options.where, options.port, changes=options.changes(options))
        print(deployment.name, file=sys.stderr)
        return int(options.command(deployment, options))
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS rejected the command: {error}") from error


def show_story(deployment: Deployment, options: argparse.Namespace) -> int:
    """Print a job's story and its current state."""
    job = read_job(deployment, options.job)
    for line in read_story(deployment, options.job, job):
        print(line)
    if job is None:
        print(f"the table has no job {options.job}", file=sys.stderr)
        return 1
    print(f"now: {current_state(job)}")
    return 0


def retry_failed(deployment: Deployment, options: argparse.Namespace) -> int:
    """Retry jobs that ended in error, or only count them."""
    api = Api(deployment.api_url(), os.environ.get("CALO_API_KEY"), token=os.environ.get("CALO_TOKEN"))
    redrive = Redrive(api, options.rate, time.sleep)
    jobs = redrive.find(options.code, options.limit, options.owner)
    _print_counts(jobs, options)
    if options.dry_run or not jobs:
        return 0
    outcomes = redrive.run(jobs)
    print(f"retried: {outcomes['retried']}")
    print(f"changed by someone else in the meantime: {outcomes['not_failed']}")
    print(f"not accepted; run the command again: {outcomes['unavailable']}")
    return 0


def _print_counts(jobs: list[Job], options: argparse.Namespace) -> None:
    description = f"failed with code {options.code}" if options.code else "failed"
    limited = ", limited by --limit" if len(jobs) == options.limit else ""
    print(f"jobs that {description}: {len(jobs)}{limited}")
    for code, count in sorted(count_codes(jobs).items()):
        print(f"  {code:20}{count:8}")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--where", choices=("local", "aws"), help="default: the local run if one is up, else AWS"
    )
    common.add_argument("--port", type=_positive, help="port of the local run, if several are up")
    parser = argparse.ArgumentParser(prog="calo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    logs = commands.add_parser("logs", parents=[common], help="show what happened to a job (times in UTC)")
    logs.add_argument("job", type=_job_id, help="the job's id")
    logs.set_defaults(command=show_story, changes=lambda _: False)
    redrive = commands.add_parser("redrive", parents=[common], help="retry jobs that ended in error")
    redrive.add_argument("--code", help="only jobs with this error code (default: all)")
    redrive.add_argument("--owner", help="for operators: whose jobs, or * for all (default: your own)")
    redrive.add_argument("--limit", type=_positive, default=1000, help="newest jobs to retry (default: 1000)")
    redrive.add_argument("--rate", type=_positive, default=10, help="jobs per second (default: 10)")
    redrive.add_argument("--dry-run", action="store_true", help="only count them")
    redrive.set_defaults(command=retry_failed, changes=lambda options: not options.dry_run)
    return parser


def _job_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError("must be a UUID, as in the job's id") from None


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
