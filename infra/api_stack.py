"""CaloApi: the REST API with its stage `api`."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.functions import CaloFunction
from infra.jobs_stack import JobsStack
from infra.live_stack import LiveStack
from infra.rest_api import RestApi
from infra.settings import Settings
from infra.web_acl import WebAcl

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
        self.api = RestApi(self, "Api", settings=settings)
        if settings.waf:
            WebAcl(self, "WebAcl", rate=settings.waf_rate).guard(self.api.deployment_stage.stage_arn)
        self.create_job = self._writer("CreateJob", "create_job", jobs, "PutItem")
        self.change_job = self._writer("ChangeJob", "change_job", jobs, "UpdateItem")
        self.read_jobs = self._read_jobs(jobs)
        self._calls()
        if live is not None:
            live.add_stream_route(self.api.root.add_resource("live"))
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)

    @property
    def functions(self) -> list[CaloFunction]:
        """All that answer calls."""
        return [self.create_job, self.change_job, self.read_jobs]

    def _calls(self) -> None:
        create, change, read = (self._started(function) for function in self.functions)
        jobs = self.api.root.add_resource("jobs")
        one_job = jobs.add_resource("{id}")
        self.api.add_call(jobs, "POST", create)
        self.api.add_call(jobs, "GET", read)
        self.api.add_call(one_job, "GET", read)
        self.api.add_call(one_job, "DELETE", change)
        self.api.add_call(one_job.add_resource("retry"), "POST", change)
        self.api.add_call(self.api.root.add_resource("stats"), "GET", read)
        self.api.add_call(self.api.root.add_resource("openapi.json"), "GET", read)

    def _started(self, function: CaloFunction) -> apigateway.LambdaIntegration:
        """The function as it is called: itself, or a version of it that was started before."""
        if self.settings.api_start == "none":
            return apigateway.LambdaIntegration(function)
        provisioned = self.settings.api_start == "provisioned"
        alias = lambda_.Alias(
            function,
            "Started",
            alias_name="started",
            version=function.current_version,
            provisioned_concurrent_executions=self.settings.api_provisioned if provisioned else None,
        )
        return apigateway.LambdaIntegration(alias)

    def _writer(self, construct_id: str, name: str, jobs: JobsStack, action: str) -> CaloFunction:
        """A function that reads a job, writes it by this action, and queues it."""
        writer = CaloFunction(
            self,
            construct_id,
            name=name,
            timeout=API_TIMEOUT,
            memory=512,
            snap_start=self.settings.api_start == "snapstart",
            environment={
                "JOBS_TABLE": jobs.tables.jobs.table_name,
                "JOBS_QUEUE_URL": jobs.queues.jobs.queue_url,
            },
        )
        writer.may(["dynamodb:GetItem", f"dynamodb:{action}"], jobs.tables.jobs.table_arn)
        writer.may(["sqs:SendMessage"], jobs.queues.jobs.queue_arn)
        return writer

    def _read_jobs(self, jobs: JobsStack) -> CaloFunction:
        reader = CaloFunction(
            self,
            "ReadJobs",
            name="read_jobs",
            timeout=API_TIMEOUT,
            memory=1024,  # a page of a hundred jobs is work
            snap_start=self.settings.api_start == "snapstart",
            environment={
                "JOBS_TABLE": jobs.tables.jobs.table_name,
                "LEDGER_TABLE": jobs.tables.ledger.table_name,
                "RATE_LIMIT": str(self.settings.rate_limit),
            },
        )
        both = (jobs.tables.jobs.table_arn, jobs.tables.ledger.table_arn)
        reader.may(["dynamodb:GetItem", "dynamodb:BatchGetItem"], *both)
        lists = [jobs.tables.index_arn(name) for name in ("by-created", "by-status")]
        reader.may(["dynamodb:Query"], *lists)
        return reader
