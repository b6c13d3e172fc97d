"""`make run`: the whole system at one address, until Ctrl-C."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local.deployment import ROOT
from local.processes import StartError, raise_on_sigterm
from local.run_file import run_folder
from local.supervisor import Supervisor
from local.system import LocalSystem

CHECK_SECONDS = 1.0
"""Between checks whether the relay still runs."""


def main(arguments: Sequence[str] = ()) -> int:
    """Run the system until Ctrl-C. Returns the exit status."""
    settings = _settings(arguments)
    start = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - start:5.1f} s  {text}", flush=True)

    raise_on_sigterm()
    try:
        port = _port(os.environ.get("PORT", "8080"))
        folder = run_folder(ROOT, port)
        with LocalSystem(folder, port, settings, say=say) as system:
            _welcome(system, folder, time.monotonic() - start)
            supervisor = Supervisor(system.relay, system.start_relay, say, time.monotonic)
            while True:
                time.sleep(CHECK_SECONDS)
                supervisor.check()
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
    return 0


def _settings(arguments: Sequence[str]) -> dict[str, str]:
    """Return the settings of the deployment, which are given as for `cdk`. Exits if an option is unknown."""
    parser = argparse.ArgumentParser(prog="make run", usage='make run ARGS="-c name=value …" PORT=8080')
    parser.add_argument("-c", "--context", action="append", default=[], type=_setting, metavar="name=value")
    return dict(parser.parse_args(arguments).context)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"must be name=value, not {text!r}")
    return name, value


def _port(text: str) -> int:
    """Parse a port. Raises StartError."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise StartError(f"PORT must be a number from 1 to 65535, not {text!r}, like: make run PORT=8090")
    return int(text)


def _welcome(system: LocalSystem, folder: Path, seconds: float) -> None:
    source = "the stand-in's pictures (set UNSPLASH_ACCESS_KEY for real photos)"
    if system.third_party.stand_in is None:
        source = system.third_party.api_url
    print(
        f"\nready in {seconds:.1f} s: {system.url}\n\n"
        f"  photos  {source}\n"
        f"  logs    {folder.relative_to(ROOT)}/\n"
        f"{_first_steps(system)}"
        f"          .venv/bin/calo logs <job id>   what happened to a job\n"
        f"{_users(system)}\n"
        "Press Ctrl-C to stop.",
        flush=True,
    )


def _first_steps(system: LocalSystem) -> str:
    """Return lines with what to try first."""
    if system.settings.get("auth", "none") != "none":
        return "  try     sign in at the page; for tokens of other clients: docs/sign-in.md\n"
    return (
        f"  try     curl -N {system.url}/api/live\n"
        f'          curl -X POST {system.url}/api/jobs -d \'{{"query":"pasta"}}\'\n'
    )


def _users(system: LocalSystem) -> str:
    """Return the lines about the users, if there are any."""
    lines = [
        f"{user.email:<16}  {user.password}{'  (operator)' if user.is_operator else ''}\n"
        for user in system.users
    ]
    return "".join(f"  {'users' if index == 0 else '':<7} {line}" for index, line in enumerate(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
