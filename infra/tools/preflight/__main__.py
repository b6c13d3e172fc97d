"""`make preflight`: print one line per check, and exit with status 1 if a deployment would fail."""

import os
import sys
from collections.abc import Sequence

from infra.deployed_kinds import kinds_of
from infra.settings import Settings
from infra.tools.preflight.arguments import session_of, settings_of
from infra.tools.preflight.checks import preflight, report
from infra.tools.preflight.machine import Machine


def check(arguments: Sequence[str]) -> Settings | None:
    """Run all checks for a deployment with these arguments, and print the findings.

    Returns the settings of the deployment, or None if it would fail.
    """
    try:
        settings = settings_of(arguments)
        kinds_of(settings)
    except ValueError as error:
        print(error, file=sys.stderr)
        return None
    findings = preflight(settings, Machine(os.environ), lambda: session_of(arguments, os.environ))
    return None if report(findings) else settings


if __name__ == "__main__":
    sys.exit(1 if check(sys.argv[1:]) is None else 0)
