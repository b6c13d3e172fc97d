"""The CDK app: which stacks there are and what each needs of the others."""

import sys

from aws_cdk import App, Tags, Validations

from infra.settings import Settings
from infra.stacks.api import ApiStack
from infra.stacks.jobs import JobsStack
from infra.stacks.live import LiveStack
from infra.stacks.ops import OpsStack
from infra.stacks.web import WebStack


def build(app: App) -> None:
    """Put the stacks that the app's context asks for into it."""
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
        inspect(app)


def inspect(app: App) -> None:
    """Have cdk-nag look at every stack at synthesis, and fail it for a finding that is not acknowledged."""
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks  # a quarter of a second that only checks need

    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def main() -> int:
    """Write the templates. Returns the exit status: 1 if a setting is wrong."""
    app = App()
    try:
        Settings.from_context(app.node.get_all_context())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    build(app)  # outside the try: a ValueError here is a bug and keeps its traceback
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
