"""The CDK app: which stacks there are and what each needs of the others."""

from aws_cdk import App, Tags, Validations

from infra.api_stack import ApiStack
from infra.jobs_stack import JobsStack
from infra.live_stack import LiveStack
from infra.ops_stack import OpsStack
from infra.settings import Settings
from infra.web_stack import WebStack


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


if __name__ == "__main__":
    app = App()
    build(app)
    app.synth()
