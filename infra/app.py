"""The CDK app, which creates the stacks and passes each the stacks that it depends on."""

import sys

from aws_cdk import App, Tags, Validations

from infra.settings import Settings
from infra.stacks.api import ApiStack
from infra.stacks.jobs import JobsStack
from infra.stacks.live import LiveStack
from infra.stacks.ops import OpsStack
from infra.stacks.web import WebStack


def build(app: App) -> None:
    """Add the stacks to the app, according to the settings in its context."""
    settings = Settings.from_context(app.node.get_all_context())
    jobs = JobsStack(app, "CaloJobs", settings=settings)
    live = LiveStack(app, "CaloLive", settings=settings, jobs=jobs) if settings.live else None
    api = ApiStack(app, "CaloApi", settings=settings, jobs=jobs, live=live)
    if settings.web:
        WebStack(app, "CaloWeb", settings=settings, jobs=jobs, api=api)
    if settings.ops:
        OpsStack(app, "CaloOps", settings=settings, jobs=jobs, api=api, live=live)
    Tags.of(app).add("app", "calo")
    if settings.nag:
        add_checks(app)


def add_checks(app: App) -> None:
    """Check all stacks with cdk-nag. Synthesis then fails for findings that are not acknowledged."""
    # imported here because the import takes a quarter of a second
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def main() -> int:
    """Write the templates. Returns the exit status, which is 1 if a setting is invalid."""
    app = App()
    try:
        Settings.from_context(app.node.get_all_context())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    build(app)  # not in the try block, because a ValueError here is a bug and needs a traceback
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
