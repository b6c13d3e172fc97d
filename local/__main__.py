"""`make run`: the whole system at one address, until Ctrl-C."""

import os
import sys
import time
from pathlib import Path

from local.deployment import ROOT
from local.processes import StartError, raise_on_sigterm
from local.run_file import run_folder
from local.supervisor import Supervisor
from local.system import LocalSystem

CHECK_SECONDS = 1.0
"""Between checks whether the relay still runs."""


def main() -> int:
    """Run the system until Ctrl-C. Returns the exit status."""
    start = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - start:5.1f} s  {text}", flush=True)

    raise_on_sigterm()
    try:
        port = _port(os.environ.get("PORT", "8080"))
        folder = run_folder(ROOT, port)
        with LocalSystem(folder, port, say=say) as system:
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
        f"  try     curl -N {system.url}/api/live\n"
        f'          curl -X POST {system.url}/api/jobs -d \'{{"query":"pasta"}}\'\n'
        f"          .venv/bin/calo logs <job id>   what happened to a job\n\n"
        "Press Ctrl-C to stop.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
