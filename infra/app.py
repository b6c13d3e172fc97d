"""The CDK app, which creates the stacks and passes each the stacks that it depends on."""

import sys

from aws_cdk import App, Tags, Validations

from infra.deployed_kinds import kinds_of
from infra.settings import Settings
from infra.stacks.api import ApiStack
from infra.stacks.jobs import JobsStack
from infra.stacks.live import LiveStack
from infra.stacks.ops import OpsStack
from infra.stacks.web import WebStack
from infra.tools.bundle import BundleError, Bundles, target_of


def build(app: App) -> None:
    """Add the stacks to the app, according to the settings in its context."""
    settings = Settings.from_context(app.node.get_all_context())
    kinds = kinds_of(settings)
    bundles = Bundles(kinds.declarations, target_of(settings.functions_platform))
    jobs = JobsStack(app, "CaloJobs", settings=settings, kinds=kinds, bundles=bundles)
    live = (
        LiveStack(app, "CaloLive", settings=settings, bundles=bundles, jobs=jobs) if settings.live else None
    )
    api = ApiStack(app, "CaloApi", settings=settings, kinds=kinds, bundles=bundles, jobs=jobs, live=live)
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
    """Write the templates. Returns the exit status: 1 if a setting, a declaration or a package is wrong."""
    app = App()
    try:
        kinds_of(Settings.from_context(app.node.get_all_context()))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        build(app)  # a ValueError here is a bug and needs a traceback
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
