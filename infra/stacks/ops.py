"""CaloOps: the alarms, their topic, and the dashboard. No other stack depends on it."""

from functools import partial

from aws_cdk import CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.dashboard import Dashboard
from infra.constructs.watched import Watched
from infra.settings import Settings
from infra.stacks.api import ApiStack
from infra.stacks.base import CaloStack
from infra.stacks.jobs import JobsStack
from infra.stacks.live import LiveStack


class OpsStack(CaloStack):
    """Monitoring of the other stacks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        jobs: JobsStack,
        api: ApiStack,
        live: LiveStack | None,
    ) -> None:
        super().__init__(scope, construct_id)
        topic = self._topic(settings)
        watched = Watched(
            kinds=jobs.kinds,
            jobs_functions=[function.node.id for function in jobs.functions],
            api_functions=[function.node.id for function in api.functions],
            queue_ids=[queue.node.id for queue in jobs.watched_queues],
            read_jobs=partial(self.read, jobs),
            read_api=partial(self.read, api),
            read_live=partial(self.read, live) if live is not None else None,
        )
        alarms = Alarms(self, "Alarms", topic=topic, few=settings.alarms == "few")
        alarms.add(watched)
        if settings.dashboard:
            Dashboard(self, "Dashboard", alarms=alarms.all, watched=watched)
        CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn)

    def _topic(self, settings: Settings) -> sns.Topic:
        topic = sns.Topic(self, "AlarmTopic", display_name="Calo alarms", enforce_ssl=settings.tls_only)
        # a topic policy replaces the default policy, which allows the account to publish
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        if settings.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
            acknowledge(
                topic,
                {
                    "Serverless-SNSRedrivePolicy": "SNS retries rejected e-mails. If an e-mail is lost, the "
                    "state of the alarm still shows the problem."
                },
            )
        return topic
