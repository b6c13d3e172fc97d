"""The `calo` command: create jobs and follow them live, and operate a deployment.

Exit status: 0 if all is well, 1 if a job ended otherwise or there is nothing to show, 2 if the input or the
usage is wrong, 3 if the API cannot be reached.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from calo import bulk_command, list_command, login, new_command, run_command, schedule_command
from calo.change import Change
from calo.client import Calo
from calo.connection import find_url
from calo.deployment import Deployment, find_deployment
from calo.errors import CaloError, CommandError, Unreachable
from calo.redrive import Redrive, count_codes
from calo.story import current_state, read_job, read_story

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells expect it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Unreachable as error:
        return _fail(error, 3)
    except CaloError as error:
        return _fail(error, 2)
    except TimeoutError as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _fail(error: Exception, status: int) -> int:
    for line in str(error).splitlines():
        print(f"calo: {line}", file=sys.stderr)
    return status


def _with_api(command: Callable[[Calo, argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Return a command that calls the API, as the user who is signed in."""

    def run(options: argparse.Namespace) -> int:
        return command(_signed_in(options.url, timeout=getattr(options, "timeout", None)), options)

    return run


def _signed_in(url: str | None, timeout: float | None = None) -> Calo:
    """Return the deployment at a URL for the user of CALO_TOKEN, or of `calo login`."""
    url = find_url(url)
    return Calo(url, token=os.environ.get("CALO_TOKEN") or login.current_token(url), timeout=timeout)


def _operate(options: argparse.Namespace) -> int:
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
    with _signed_in(deployment.api_url()) as client:
        redrive = Redrive(client, options.code, options.owner, options.rate, time.sleep)
        jobs = redrive.find(options.limit)
        _print_counts(jobs, options)
        if not options.dry_run and jobs:
            print(f"retried: {redrive.run(options.limit)}")
    return 0


def _print_counts(jobs: list[Change], options: argparse.Namespace) -> None:
    description = f"failed with code {options.code}" if options.code else "failed"
    limited = ", limited by --limit" if len(jobs) == options.limit else ""
    print(f"jobs that {description}: {len(jobs)}{limited}")
    for code, count in sorted(count_codes(jobs).items()):
        print(f"  {code:20}{count:8}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="calo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_job_commands(commands)
    _add_list_commands(commands)
    _add_operator_commands(commands)
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--url", help="of the API, with or without /api (default: CALO_URL, or the local run)"
    )
    common.add_argument(
        "--json", action="store_true", help="print JSON, and nothing else, on standard output"
    )
    return common


def _add_job_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    common = _common()
    run = commands.add_parser(
        "run", parents=[common], help="create a job, show its progress, print its output"
    )
    run.add_argument("kind", help="such as photo; calo kinds lists them")
    run.add_argument("field", nargs="*", help="input, such as query=pasta; with := the value is JSON")
    run.add_argument("--input", help="the input as a JSON object, or @ and the name of a file with it")
    run.add_argument("--delay", default="0", help="start the work later: 90 (seconds), 10m, 2h, 3d")
    run.add_argument("--key", help="idempotency key: with the same key, the same job is returned")
    run.add_argument("--notify", metavar="URL", help="an https URL to call when the job ends")
    run.add_argument("--timeout", type=_positive, help="seconds after which to stop waiting")
    run.add_argument("--detach", action="store_true", help="print the job's id and do not wait for its end")
    run.set_defaults(run=_with_api(run_command.run))
    watch = commands.add_parser("watch", parents=[common], help="show changes live, of some jobs or of all")
    watch.add_argument("job", nargs="*", type=_job_id, help="ids (default: all jobs, until Ctrl-C)")
    watch.add_argument("--timeout", type=_positive, help="seconds after which to stop waiting")
    watch.set_defaults(run=_with_api(run_command.watch))
    show = commands.add_parser("show", parents=[common], help="show a job")
    show.add_argument("job", type=_job_id, help="its id")
    show.set_defaults(run=_with_api(run_command.show))
    for name, text, command in (
        ("cancel", "cancel pending jobs", run_command.cancel),
        ("retry", "make jobs that failed or were cancelled pending again", run_command.retry),
    ):
        change = commands.add_parser(name, parents=[common], help=text)
        change.add_argument("job", nargs="+", type=_job_id, help="ids")
        change.set_defaults(run=_with_api(command))


def _add_list_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    common = _common()
    jobs = commands.add_parser("jobs", parents=[common], help="list the newest jobs")
    jobs.add_argument("--status", choices=("pending", "resolved", "error", "cancelled"))
    jobs.add_argument("--kind")
    jobs.add_argument("--code", help="only failed jobs with this error code")
    jobs.add_argument("--text", help="only jobs with this text in their input")
    jobs.add_argument("--owner", help="for operators: whose jobs, or * for all")
    jobs.add_argument("--limit", type=_positive, default=20, help="default: 20")
    jobs.set_defaults(run=_with_api(list_command.jobs))
    kinds = commands.add_parser("kinds", parents=[common], help="list the kinds of jobs and their input")
    kinds.set_defaults(run=_with_api(list_command.kinds))
    bulk = commands.add_parser(
        "bulk", parents=[common], help="create the jobs of a file, a JSON object a line"
    )
    bulk.add_argument("file", help='lines like {"kind": "photo", "input": {"query": "pasta"}}; - reads stdin')
    bulk.add_argument("--run", dest="name", default="", help="create the jobs of a file once for each name")
    bulk.set_defaults(run=_with_api(bulk_command.bulk))
    _add_schedule_commands(commands, common)
    _add_sign_in_commands(commands)
    new = commands.add_parser("new", help="write a new kind of job and its test into this checkout")
    new.add_argument("kind", type=_kind_name, help="lower-case letters, digits and _")
    new.set_defaults(run=new_command.new)


def _add_schedule_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    schedules = commands.add_parser("schedules", parents=[common], help="list and change schedules")
    schedules.set_defaults(run=_with_api(schedule_command.schedules), action=schedule_command.list_all)
    actions = schedules.add_subparsers(metavar="action")
    add = actions.add_parser("add", help="create a job at each time of a cron expression")
    add.add_argument("kind", help="such as photo; calo kinds lists them")
    add.add_argument("field", nargs="*", help="input, such as query=pasta; with := the value is JSON")
    add.add_argument("--cron", required=True, help='five fields, such as "0 9 * * 1-5"')
    add.add_argument("--timezone", default="UTC", help="such as Europe/Berlin (default: UTC)")
    add.set_defaults(action=schedule_command.add)
    for name, action in (
        ("pause", schedule_command.pause),
        ("resume", schedule_command.resume),
        ("delete", schedule_command.delete),
    ):
        change = actions.add_parser(name, help=f"{name} a schedule")
        change.add_argument("schedule", type=_job_id, help="its id")
        change.set_defaults(action=action)


def _add_sign_in_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--url", help="of the API, with or without /api (default: CALO_URL, or the local run)"
    )
    sign_in = commands.add_parser("login", parents=[common], help="sign in; tokens are kept in the keyring")
    sign_in.add_argument("--issuer", help="if the web app is not at the same address as the API")
    sign_in.add_argument("--client-id", help="the id of the client at the issuer")
    sign_in.add_argument("--browser", action="store_true", help="do not use a device code")
    sign_in.set_defaults(run=lambda options: login.login(Calo(options.url), options))
    sign_out = commands.add_parser("logout", parents=[common], help="forget the tokens")
    sign_out.set_defaults(run=lambda options: login.logout(Calo(options.url), options))


def _add_operator_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--where", choices=("local", "aws"), help="default: the local run if one is up, else AWS"
    )
    common.add_argument("--port", type=_positive, help="port of the local run, if several are up")
    logs = commands.add_parser("logs", parents=[common], help="show what happened to a job (times in UTC)")
    logs.add_argument("job", type=_job_id, help="the job's id")
    logs.set_defaults(run=_operate, command=show_story, changes=lambda _: False)
    redrive = commands.add_parser("redrive", parents=[common], help="retry jobs that ended in error")
    redrive.add_argument("--code", help="only jobs with this error code (default: all)")
    redrive.add_argument("--owner", help="for operators: whose jobs, or * for all (default: your own)")
    redrive.add_argument("--limit", type=_positive, default=1000, help="newest jobs to retry (default: 1000)")
    redrive.add_argument("--rate", type=_positive, default=10, help="jobs per second (default: 10)")
    redrive.add_argument("--dry-run", action="store_true", help="only count them")
    redrive.set_defaults(run=_operate, command=retry_failed, changes=lambda options: not options.dry_run)


def _kind_name(text: str) -> str:
    if not re.fullmatch(new_command.NAME, text):
        raise argparse.ArgumentTypeError("must begin with a lower-case letter, then letters, digits and _")
    return text


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
