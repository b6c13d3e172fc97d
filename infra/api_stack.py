"""CaloApi: the REST API with its stage `api`."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.functions import LOG_RETENTION, CaloFunction
from infra.jobs_stack import JobsStack
from infra.live_stack import LiveStack
from infra.settings import Settings

API_TIMEOUT = 10
"""Seconds."""


class ApiStack(Stack):
    """The API's calls, and `GET /live` where the relay is deployed."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        jobs: JobsStack,
        live: LiveStack | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.api = self._rest_api()
        jobs_path = self.api.root.add_resource("jobs")
        jobs_path.add_method(
            "POST", self._writer("CreateJob", "create_job", jobs, "dynamodb:PutItem", "dynamodb:GetItem")
        )
        read = self._read_jobs(jobs)
        jobs_path.add_method("GET", read)
        one_job = jobs_path.add_resource("{id}")
        one_job.add_method("GET", read)
        change = self._writer("ChangeJob", "change_job", jobs, "dynamodb:GetItem", "dynamodb:UpdateItem")
        one_job.add_method("DELETE", change)
        one_job.add_resource("retry").add_method("POST", change)
        self.api.root.add_resource("stats").add_method("GET", read)
        self.api.root.add_resource("openapi.json").add_method("GET", read)
        if live is not None:
            live.add_stream_route(self.api.root.add_resource("live"))
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)

    def _rest_api(self) -> apigateway.RestApi:
        access_log = logs.LogGroup(
            self, "AccessLog", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY
        )
        return apigateway.RestApi(
            self,
            "Api",
            rest_api_name="Calo",
            # an edge-optimised endpoint would cut a stream after 30 idle seconds
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # without it in the account's settings, API Gateway refuses a stage that writes an access log
            cloud_watch_role=True,
            deploy_options=apigateway.StageOptions(
                stage_name="api",
                throttling_rate_limit=self.settings.api_rate,
                throttling_burst_limit=self.settings.api_burst,
                tracing_enabled=True,
                metrics_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=False, http_method=True, ip=True, protocol=True, request_time=True,
                    resource_path=True, response_length=True, status=True, user=False,
                ),
            ),
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=["GET", "POST", "DELETE", "OPTIONS"],
                allow_headers=["Content-Type", "Idempotency-Key", "Last-Event-ID"],
                max_age=Duration.hours(1),
            ),
        )  # fmt: skip

    def _writer(
        self, construct_id: str, name: str, jobs: JobsStack, *actions: str
    ) -> apigateway.LambdaIntegration:
        """A function that writes jobs, by these actions on the table, and queues them."""
        writer = CaloFunction(
            self,
            construct_id,
            name=name,
            timeout=API_TIMEOUT,
            environment={
                "JOBS_TABLE": jobs.tables.jobs.table_name,
                "JOBS_QUEUE_URL": jobs.queues.jobs.queue_url,
            },
        )
        jobs.tables.jobs.grant(writer, *actions)
        jobs.queues.jobs.grant(writer, "sqs:SendMessage")
        return apigateway.LambdaIntegration(writer)

    def _read_jobs(self, jobs: JobsStack) -> apigateway.LambdaIntegration:
        read_jobs = CaloFunction(
            self,
            "ReadJobs",
            name="read_jobs",
            timeout=API_TIMEOUT,
            environment={
                "JOBS_TABLE": jobs.tables.jobs.table_name,
                "LEDGER_TABLE": jobs.tables.ledger.table_name,
                "RATE_LIMIT": str(self.settings.rate_limit),
            },
        )
        jobs.tables.jobs.grant(read_jobs, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
        jobs.tables.ledger.grant(read_jobs, "dynamodb:GetItem", "dynamodb:BatchGetItem")
        return apigateway.LambdaIntegration(read_jobs)
