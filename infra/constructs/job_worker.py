"""The worker of a kind."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnElement, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import CaloFunction
from infra.constructs.images import Images
from infra.constructs.queues import Queues
from infra.constructs.tables import Tables
from infra.deployed_kinds import DeployedKind
from infra.tools.bundle import Bundles

REPORT_SECONDS = 10
"""What a worker has beyond the kind's timeout, to read the jobs and to report their outcomes."""
MAX_BATCH_WITHOUT_WINDOW = 10
"""Larger batches need a window:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""


class JobWorker(CaloFunction):
    """The worker of a kind. It may do what the kind's declaration says, and no more.

    `limits` are those of its budgets, as JSON. `secrets` are its own. Without `images` it stores no files.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: DeployedKind,
        limits: str,
        metrics: bool,
        bundles: Bundles,
        tables: Tables,
        queues: Queues,
        secrets: Mapping[str, secretsmanager.Secret],
        images: Images | None,
    ) -> None:
        queue = queues.jobs[kind.name]
        arns = {name: secret.secret_arn for name, secret in secrets.items()}
        super().__init__(
            scope,
            construct_id,
            name="job_worker",
            kind=kind.name,
            bundles=bundles,
            metrics=metrics,
            timeout=kind.kind.timeout + REPORT_SECONDS,
            memory=kind.kind.memory,
            environment={
                "KIND_MODULE": kind.declaration.module,
                "KIND_TIMEOUT": str(kind.kind.timeout),
                "RETRY_SECONDS": str(kind.kind.retry_seconds),
                "BUDGETS": limits,
                "SECRETS": Stack.of(scope).to_json_string(arns),
                "JOBS_TABLE": tables.jobs.table_name,
                "LEDGER_TABLE": tables.ledger.table_name,
                "QUEUE_URL": queue.queue_url,
                "RESULTS_QUEUE_URL": queues.results.queue_url,
                "DEAD_LETTER_QUEUE_URL": queues.dead_letters.queue_url,
                **_file_environment(images),
                **kind.environment,
            },
        )
        # no batching window unless it is required, so that a single job starts immediately
        self.read_queue(
            queue,
            batch_size=kind.kind.batch,
            max_concurrency=kind.kind.concurrency,
            window=1 if kind.kind.batch > MAX_BATCH_WITHOUT_WINDOW else None,
        )
        self._allow_reporting(tables, queues, queue)
        self._allow_items(kind, tables.ledger.table_arn)
        if arns:
            self.allow(["secretsmanager:GetSecretValue"], *arns.values())
        if images:
            self._allow_storing_files(kind, images)

    def _allow_reporting(self, tables: Tables, queues: Queues, queue: sqs.IQueue) -> None:
        """Allow what every worker does with the jobs of its queue."""
        self.allow(["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], tables.jobs.table_arn)
        self.allow(["sqs:SendMessage", "sqs:ChangeMessageVisibility"], queue.queue_arn)
        self.allow(["sqs:SendMessage"], queues.results.queue_arn, queues.dead_letters.queue_arn)

    def _allow_items(self, kind: DeployedKind, ledger_arn: str) -> None:
        """Allow the kind's own items of the ledger, and its budgets."""
        budgets = [f"budget#{budget.name}" for budget in kind.kind.budgets]
        actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        self.allow_items(actions, ledger_arn, *budgets, f"kind#{kind.name}#*")

    def _allow_storing_files(self, kind: DeployedKind, images: Images) -> None:
        self.allow(["s3:PutObject"], images.bucket.arn_for_objects(f"images/{kind.name}/*"))
        bucket = Stack.of(self).get_logical_id(cast(CfnElement, images.bucket.node.default_child))
        rule = f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/images/{kind.name}/*]"
        acknowledge(cast(IConstruct, self.role), {rule: "The names of the files are not known in advance."})


def _file_environment(images: Images | None) -> dict[str, str]:
    if images is None:
        return {}
    return {"FILES_BUCKET": images.bucket.bucket_name, "FILES_BASE_URL": images.base_url}
