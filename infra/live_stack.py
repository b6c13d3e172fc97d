"""CaloLive: the relay on Fargate behind an internal load balancer, reached through a VPC link."""

from typing import cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.bundle import SOURCES
from infra.functions import log_group
from infra.jobs_stack import JobsStack
from infra.network import make_network
from infra.publishing import undelivered_queue
from infra.relay_janitor import (
    QUEUE_PREFIX,
    acknowledge_relay_queues,
    add_janitor,
    relay_queues,
    unsubscribe,
)
from infra.settings import Settings
from infra.signals import CONNECTIONS, signal

PORT = 8000
IDLE_SECONDS = 120
"""The load balancer cuts after 60 silent seconds unless told; the relay speaks every 15."""
STOP_SECONDS = 60
"""What a stopping task gets to let its streams go; they go over the first ten of them."""
MAX_STREAMS = 10_000
"""To one task; some kilobytes each, most of them the kernel's."""
TRUSTED_PROXIES = 2
"""API Gateway adds the client's address to X-Forwarded-For, the load balancer that of API Gateway's link."""

PLAIN_ENVIRONMENT = {
    "AwsSolutions-ECS2": "The environment holds addresses and a port; there is no secret among them.",
    "AwsSolutions-IAM5[Resource::*]": "Of its roles one unsubscribes and one gets ECR's token: neither call "
    "knows a resource to name. A test holds that nothing else is allowed on all resources.",
}


class LiveStack(Stack):
    """The relay and its network."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, jobs: JobsStack) -> None:
        super().__init__(scope, construct_id)
        self.vpc = make_network(self, settings)
        self.load_balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self.vpc,
            internet_facing=False,
            idle_timeout=Duration.seconds(IDLE_SECONDS),
            drop_invalid_header_fields=True,
        )
        if jobs.access_logs is not None:
            jobs.access_logs.take_from(self.load_balancer, "relay-load-balancer")
        self.undelivered = undelivered_queue(self, settings=settings)
        self.service = self._service(settings, self._task(jobs))
        self.target_group = self._listen()
        self._scale(settings)
        self.janitor = add_janitor(
            self,
            topic=jobs.publishing.topic.topic_arn,
            cluster=self.service.cluster,
            undelivered=self.undelivered,
        )
        self.link = self._vpc_link()
        CfnOutput(self, "RelayQueuePrefix", value=QUEUE_PREFIX)

    def add_stream_route(self, resource: apigateway.Resource) -> None:
        """`GET` on a resource of the API, led to the relay and streamed through instead of buffered:
        https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
        """
        method = resource.add_method(
            "GET",
            apigateway.Integration(
                type=apigateway.IntegrationType.HTTP_PROXY,
                integration_http_method="GET",
                uri=f"http://{self.load_balancer.load_balancer_dns_name}/live",
                options=apigateway.IntegrationOptions(
                    response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
                    timeout=Duration.minutes(15),
                ),
            ),
        )
        # the construct knows only the older links, to network load balancers
        definition = cast(apigateway.CfnMethod, method.node.default_child)
        definition.add_property_override("Integration.ConnectionType", "VPC_LINK")
        definition.add_property_override("Integration.ConnectionId", self.link.vpc_link_id)
        target = self.load_balancer.load_balancer_arn
        definition.add_property_override("Integration.IntegrationTarget", target)

    def _task(self, jobs: JobsStack) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=512,
            memory_limit_mib=1024,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        task.add_container(
            "Relay",
            image=self._image(),
            command=[
                "--embedded-metrics",
                "--trusted-proxies",
                str(TRUSTED_PROXIES),
                "--max-streams",
                str(MAX_STREAMS),
            ],
            environment={
                "TOPIC_ARN": jobs.publishing.topic.topic_arn,
                "JOBS_TABLE": jobs.tables.jobs.table_name,
                "QUEUE_PREFIX": QUEUE_PREFIX,
                "PORT": str(PORT),
            },
            port_mappings=[ecs.PortMapping(container_port=PORT)],
            logging=ecs.LogDrivers.aws_logs(stream_prefix="relay", log_group=log_group(self, "RelayLogs")),
            stop_timeout=Duration.seconds(STOP_SECONDS),
            readonly_root_filesystem=True,
            # a relay is far from its limit of files long before it is from that of its memory
            ulimits=[ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=65536, hard_limit=65536)],
        )
        self._grant(task.task_role, jobs)
        acknowledge(task, PLAIN_ENVIRONMENT)
        return task

    def _image(self) -> ecs.ContainerImage:
        kept = {"common", "sse_relay", "__init__.py"}
        others = [path.name for path in SOURCES.iterdir() if path.name not in kept]
        return ecs.ContainerImage.from_asset(
            str(SOURCES), file="sse_relay/Dockerfile", exclude=[*others, "**/__pycache__"]
        )

    def _grant(self, role: iam.IRole, jobs: JobsStack) -> None:
        """Read the jobs; own a queue of the relays' name and its subscription, no others."""
        table, index = jobs.tables.jobs.table_arn, jobs.tables.index_arn("by-updated")
        topic = jobs.publishing.topic.topic_arn
        actions = ["CreateQueue", "DeleteQueue", "ReceiveMessage", "DeleteMessage"]
        for statement in (
            iam.PolicyStatement(actions=["dynamodb:BatchGetItem"], resources=[table]),
            iam.PolicyStatement(actions=["dynamodb:Query"], resources=[index]),
            iam.PolicyStatement(
                actions=[f"sqs:{action}" for action in actions], resources=[relay_queues(self)]
            ),
            iam.PolicyStatement(actions=["sns:Subscribe"], resources=[topic]),
            unsubscribe(),
        ):
            role.add_to_principal_policy(statement)
        acknowledge_relay_queues(role)

    def _service(self, settings: Settings, task: ecs.FargateTaskDefinition) -> ecs.FargateService:
        cluster = ecs.Cluster(
            self, "Cluster", vpc=self.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        return ecs.FargateService(
            self,
            "Relay",
            cluster=cluster,
            task_definition=task,
            desired_count=settings.relay_tasks_min,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            health_check_grace_period=Duration.seconds(30),
        )

    def _listen(self) -> elb.ApplicationTargetGroup:
        listener = self.load_balancer.add_listener("Http", port=80, open=False)
        return listener.add_targets(
            "Relay",
            port=PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            # new streams go to the task with the fewest, so that one just started fills up first
            load_balancing_algorithm_type=elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
            deregistration_delay=Duration.seconds(5),
            health_check=elb.HealthCheck(
                path="/healthz",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )

    def _scale(self, settings: Settings) -> None:
        scaling = self.service.auto_scale_task_count(
            min_capacity=settings.relay_tasks_min, max_capacity=settings.relay_tasks_max
        )
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=50)
        connections = signal(CONNECTIONS, "Average", Duration.minutes(1))
        scaling.scale_to_track_custom_metric("Connections", metric=connections, target_value=MAX_STREAMS / 2)

    def _vpc_link(self) -> apigatewayv2.VpcLink:
        """The only way in: the link may talk to the load balancer, and nobody else may."""
        group = ec2.SecurityGroup(self, "LinkGroup", vpc=self.vpc, allow_all_outbound=False)
        self.load_balancer.connections.allow_from(group, ec2.Port.tcp(80), "API Gateway's link")
        return apigatewayv2.VpcLink(
            self,
            "Link",
            vpc=self.vpc,
            security_groups=[group],
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        )
