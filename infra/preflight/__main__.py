"""`make preflight`: print one line for each check; exit with 1 if a deployment would fail."""

import os
import sys
from collections.abc import Sequence

from infra.preflight.arguments import session_of, settings_of
from infra.preflight.checks import preflight, report
from infra.preflight.machine import Machine


def main(arguments: Sequence[str]) -> int:
    """Run all checks for a deployment with these arguments. Returns the exit status."""
    try:
        settings = settings_of(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return report(preflight(settings, Machine(os.environ), lambda: session_of(arguments, os.environ)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
