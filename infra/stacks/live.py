"""CaloLive: the relay on Fargate, and the internal load balancer and VPC link that connect it to the API."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.access_logs import write_access_logs
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import log_group
from infra.constructs.live_route import ADDRESS_HEADER
from infra.constructs.metrics import CONNECTIONS, custom_metric
from infra.constructs.network import create_network, relay_subnets
from infra.constructs.publishing import undelivered_queue
from infra.constructs.relay_janitor import (
    acknowledge_relay_queues,
    add_janitor,
    relay_queues,
    unsubscribe,
)
from infra.names import METRICS_NAMESPACE, RELAY_QUEUE_PREFIX
from infra.settings import Processor, Settings
from infra.stacks.base import CaloStack
from infra.stacks.jobs import JobsStack
from infra.stacks.token_environment import token_environment
from infra.tools.bundle import SOURCES, Bundles

PORT = 8000
IDLE_SECONDS = 120
"""The load balancer's default closes connections that are idle for 60 seconds. The relay writes every 15."""
DEREGISTRATION_SECONDS = 60
"""From the deregistration of a stopping task until the load balancer closes its open connections."""
DRAIN_SECONDS = 40
"""The time over which the relay closes its streams. It polls the task metadata endpoint and so detects within
seconds that its task is stopping. ECS sends SIGTERM only after the deregistration delay."""
STOP_SECONDS = 60
"""From SIGTERM until SIGKILL. Long enough to close all streams if the endpoint did not respond."""
PLATFORMS: dict[Processor, tuple[ecs.CpuArchitecture, ecr_assets.Platform]] = {
    "arm64": (ecs.CpuArchitecture.ARM64, ecr_assets.Platform.LINUX_ARM64),
    "x86_64": (ecs.CpuArchitecture.X86_64, ecr_assets.Platform.LINUX_AMD64),
}
"""The platforms of the task and of the image, which must be set separately."""

PLAIN_ENVIRONMENT = {
    "AwsSolutions-ECS2": "The environment contains names, ARNs and a port, but no secrets.",
    "AwsSolutions-IAM5[Resource::*]": "sns:Unsubscribe and ecr:GetAuthorizationToken do not support "
    "resource-level permissions. A test checks that no other action is allowed on all resources.",
}


class LiveStack(CaloStack):
    """The relay and its network."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, bundles: Bundles, jobs: JobsStack
    ) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.topic_arn = self.read(jobs, "topic-arn")
        self.jobs_table = self.read(jobs, "jobs-table")
        self.ticket_secret = None if settings.auth == "none" else self.read(jobs, "ticket-secret")
        self.vpc = create_network(self, settings)
        self.load_balancer = self._load_balancer(jobs)
        self.undelivered = undelivered_queue(self, settings=settings)
        self.service = self._service(self._task(jobs))
        self.target_group = self._target_group()
        if settings.relay_tasks_max > settings.relay_tasks_min:
            self._add_autoscaling()
        self.janitor = add_janitor(
            self,
            topic=self.topic_arn,
            cluster=self.service.cluster,
            undelivered=self.undelivered,
            bundles=bundles,
            metrics=settings.metrics,
        )
        self.link = self._vpc_link()
        self._publish_names()
        CfnOutput(self, "RelayQueuePrefix", value=RELAY_QUEUE_PREFIX)

    def _load_balancer(self, jobs: JobsStack) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self.vpc,
            vpc_subnets=relay_subnets(self.settings),
            internet_facing=False,
            idle_timeout=Duration.seconds(IDLE_SECONDS),
            drop_invalid_header_fields=True,
        )
        if self.settings.auth != "none":
            acknowledge(balancer, {"AwsSolutions-ELB2": "The log would contain tickets, which are in URLs."})
        elif self.settings.access_logs:
            write_access_logs(balancer, self.read(jobs, "access-logs-bucket"))
        else:
            acknowledge(
                balancer,
                {"AwsSolutions-ELB2": "Access logs are turned off by the setting access_logs=false."},
            )
        return balancer

    def _task(self, jobs: JobsStack) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=self.settings.relay_units,
            memory_limit_mib=self.settings.relay_memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=PLATFORMS[self.settings.relay_cpu][0],
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        task.add_container(
            "Relay",
            image=self._image(),
            command=self._command(),
            environment={
                "TOPIC_ARN": self.topic_arn,
                "JOBS_TABLE": self.jobs_table,
                "QUEUE_PREFIX": RELAY_QUEUE_PREFIX,
                "PORT": str(PORT),
                "POWERTOOLS_SERVICE_NAME": "sse_relay",
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                **token_environment(self, jobs, self.settings),
                **({"TICKET_SECRET": self.ticket_secret} if self.ticket_secret else {}),
            },
            port_mappings=[ecs.PortMapping(container_port=PORT)],
            logging=ecs.LogDrivers.aws_logs(stream_prefix="relay", log_group=log_group(self, "RelayLogs")),
            stop_timeout=Duration.seconds(STOP_SECONDS),
            readonly_root_filesystem=True,
        )
        self._grant(task.task_role)
        acknowledge(task, PLAIN_ENVIRONMENT)
        return task

    def _command(self) -> list[str]:
        """Return the relay's options, which `python -m functions.sse_relay --help` describes."""
        options = {
            "--host": "0.0.0.0",  # noqa: S104  # the security group admits only the load balancer
            "--address-header": ADDRESS_HEADER,
            "--max-streams": str(self.settings.relay_streams),
            "--drain-seconds": str(DRAIN_SECONDS),
        }
        metrics = ["--embedded-metrics"] if self.settings.metrics else []
        return [*metrics, *(word for option in options.items() for word in option)]

    def _image(self) -> ecs.ContainerImage:
        needed = {"common", "sse_relay", "__init__.py"}
        others = [path.name for path in SOURCES.iterdir() if path.name not in needed]
        return ecs.ContainerImage.from_asset(
            str(SOURCES),
            file="sse_relay/Dockerfile",
            exclude=[*others, "**/__pycache__"],
            platform=PLATFORMS[self.settings.relay_cpu][1],
        )

    def _grant(self, role: iam.IRole) -> None:
        """Allow the relay to read jobs and the key of tickets, and to manage its queue and subscription."""
        table = self.table_arn(self.jobs_table)
        actions = ["CreateQueue", "DeleteQueue", "ReceiveMessage", "DeleteMessage"]
        for statement in (
            iam.PolicyStatement(actions=["dynamodb:BatchGetItem"], resources=[table]),
            iam.PolicyStatement(actions=["dynamodb:Query"], resources=[f"{table}/index/by-updated"]),
            iam.PolicyStatement(
                actions=[f"sqs:{action}" for action in actions], resources=[relay_queues(self)]
            ),
            iam.PolicyStatement(actions=["sns:Subscribe"], resources=[self.topic_arn]),
            unsubscribe(),
        ):
            role.add_to_principal_policy(statement)
        if self.ticket_secret:
            role.add_to_principal_policy(
                iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[self.ticket_secret])
            )
        acknowledge_relay_queues(role)

    def _service(self, task: ecs.FargateTaskDefinition) -> ecs.FargateService:
        metrics = self.settings.metrics
        insights = ecs.ContainerInsights.ENABLED if metrics else ecs.ContainerInsights.DISABLED
        cluster = ecs.Cluster(self, "Cluster", vpc=self.vpc, container_insights_v2=insights)
        if not metrics:
            acknowledge(
                cluster,
                {"AwsSolutions-ECS4": "Container Insights are turned off by the setting metrics=false."},
            )
        service = ecs.FargateService(
            self,
            "Relay",
            cluster=cluster,
            task_definition=task,
            desired_count=self.settings.relay_tasks_min,
            vpc_subnets=relay_subnets(self.settings),
            assign_public_ip=self.settings.nat_gateways == 0,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            health_check_grace_period=Duration.seconds(30),
        )
        # tasks need internet access when they start, and when they drain while the stack is deleted
        subnets = self.vpc.select_subnets(subnet_type=relay_subnets(self.settings).subnet_type)
        service.node.add_dependency(subnets.internet_connectivity_established)
        return service

    def _target_group(self) -> elb.ApplicationTargetGroup:
        listener = self.load_balancer.add_listener("Http", port=80, open=False)
        return listener.add_targets(
            "Relay",
            port=PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            # send new streams to the task with the fewest, so that a new task receives streams first
            load_balancing_algorithm_type=elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
            deregistration_delay=Duration.seconds(DEREGISTRATION_SECONDS),
            health_check=elb.HealthCheck(
                path="/healthz",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )

    def _add_autoscaling(self) -> None:
        scaling = self.service.auto_scale_task_count(
            min_capacity=self.settings.relay_tasks_min, max_capacity=self.settings.relay_tasks_max
        )
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=50)
        connections = custom_metric(CONNECTIONS, "Average", Duration.minutes(1))
        scaling.scale_to_track_custom_metric(
            "Connections", metric=connections, target_value=self.settings.relay_streams / 2
        )

    def _vpc_link(self) -> apigatewayv2.VpcLink:
        """Create the link. The load balancer accepts connections only from it.

        Changing the subnets replaces the link. The live stream then fails until CaloApi, which is deployed
        next, uses the new link.
        """
        group = ec2.SecurityGroup(self, "LinkGroup", vpc=self.vpc, allow_all_outbound=False)
        self.load_balancer.connections.allow_from(group, ec2.Port.tcp(80), "API Gateway's link")
        return apigatewayv2.VpcLink(
            self, "Link", vpc=self.vpc, security_groups=[group], subnets=relay_subnets(self.settings)
        )

    def _publish_names(self) -> None:
        """Publish the values that other stacks read."""
        self.publish("link-id", self.link.vpc_link_id)
        self.publish("load-balancer-arn", self.load_balancer.load_balancer_arn)
        self.publish("load-balancer-host", self.load_balancer.load_balancer_dns_name)
        self.publish("load-balancer-metrics", self.load_balancer.load_balancer_full_name)
        self.publish("target-group-metrics", self.target_group.target_group_full_name)
        self.publish("queue/RelayUndelivered", self.undelivered.queue_name)
        self.publish(f"function/{self.janitor.node.id}", self.janitor.function_name)
