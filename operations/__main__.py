"""`make logs` and `make redrive`: the story of a job, and another try for those that failed."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from functions.common.job import Job
from functions.common.queues import Queue
from functions.common.store import JobStore
from local.run_file import folder_of
from operations.place import NotThere, Place, place_of
from operations.redrive import Redrive, by_code
from operations.story import ending_of, story

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Returns the exit status: 1 if there is nothing to show, 2 for a command that cannot be carried out."""
    options = _options(arguments)
    run_folder = folder_of(root, options.port)
    try:
        place = place_of(options.where, run_folder, changes=options.verb == "redrive" and not options.dry_run)
        print(place.name, file=sys.stderr)
        return int(options.command(place, options))
    except NotThere as error:
        print(error, file=sys.stderr)
        return 2


def show_story(place: Place, options: argparse.Namespace) -> int:
    """Print a job's story and its present state."""
    job = JobStore(place.client("dynamodb"), place.outputs()["JobsTable"]).get(options.job)
    lines = story(place, options.job, job)
    for line in lines:
        print(line)
    if job is None:
        print(f"there is no job {options.job} in the table", file=sys.stderr)
        return 1
    print(f"now: {ending_of(job)}")
    return 0


def retry_failed(place: Place, options: argparse.Namespace) -> int:
    """Retry jobs that ended in error, or only count them."""
    outputs = place.outputs()
    store = JobStore(place.client("dynamodb"), outputs["JobsTable"])
    queue = Queue(place.client("sqs"), outputs["JobsQueueUrl"])
    redrive = Redrive(store, queue, options.rate, time.sleep)
    jobs = redrive.find(options.code, options.limit)
    _print_found(jobs, options)
    if options.dry_run or not jobs:
        return 0
    counts = redrive.run(jobs)
    print(f"retried: {counts.retried}")
    print(f"changed by somebody else meanwhile: {counts.changed_meanwhile}")
    print(f"written but not queued, which the watchdog will do: {counts.left_to_watchdog}")
    return 0


def _print_found(jobs: list[Job], options: argparse.Namespace) -> None:
    wanted = f"error with code {options.code}" if options.code else "error"
    at_most = ", the most that --limit allows" if len(jobs) == options.limit else ""
    print(f"ended in {wanted}: {len(jobs)}{at_most}")
    for code, number in sorted(by_code(jobs).items()):
        print(f"  {code:20}{number:8}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--where", choices=("local", "aws"), help="default: the local run if it is up, else AWS"
    )
    port = int(os.environ.get("PORT", "8080"))
    common.add_argument("--port", type=int, default=port, help="of the local run's front door")
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    logs = verbs.add_parser("logs", parents=[common], help="the story of one job")
    logs.add_argument("job", type=_job_id, help="its id")
    logs.set_defaults(command=show_story)
    redrive = verbs.add_parser("redrive", parents=[common], help="retry jobs that ended in error")
    redrive.add_argument("--code", help="only those with this code (default: all)")
    redrive.add_argument("--limit", type=_positive, default=1000, help="at most so many (default: 1000)")
    redrive.add_argument("--rate", type=_positive, default=20, help="jobs a second (default: 20)")
    redrive.add_argument("--dry-run", action="store_true", help="only count them")
    redrive.set_defaults(command=retry_failed)
    return parser.parse_args(arguments)


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
    sys.exit(main(sys.argv[1:]))
