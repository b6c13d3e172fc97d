"""CaloApi: the REST API and its functions."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import CaloFunction
from infra.constructs.live_route import add_live_route
from infra.constructs.rest_api import RestApi
from infra.constructs.web_acl import WebAcl
from infra.deployed_kinds import Kinds
from infra.settings import Settings
from infra.stacks.base import CaloStack
from infra.stacks.jobs import JobsStack
from infra.stacks.live import LiveStack
from infra.stacks.token_environment import token_environment
from infra.tools.bundle import Bundles

API_TIMEOUT = 10
"""Seconds."""
AUTHORIZER_TIMEOUT = 15
"""Seconds: longer than its two requests to the issuer may take."""
LISTS = ("by-created", "by-status", "by-kind")
"""The indexes by which jobs are found."""
LIST_OF_OPERATORS = "by-all"
"""The same with sign-in."""
SCHEDULE_KEYS = "schedule"
"""The keys of schedules in the jobs table begin with this, and those of the lists of their owners."""


class ApiStack(CaloStack):
    """The API with its calls, including `GET /live` if the relay is deployed."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        kinds: Kinds,
        bundles: Bundles,
        jobs: JobsStack,
        live: LiveStack | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.kinds = kinds
        self.bundles = bundles
        self.jobs_table = self.read(jobs, "jobs-table")
        self.api = RestApi(self, "Api", settings=settings)
        if settings.waf:
            # with sign-in, samples of requests would show tokens
            acl = WebAcl(self, "WebAcl", rate=settings.waf_rate, samples=settings.auth == "none")
            acl.protect(self.api.deployment_stage.stage_arn)
        else:
            acknowledge(
                self.api, {"AwsSolutions-APIG3": "The firewall is turned off by the setting waf=false."}
            )
        self.create_job = self._writer(
            jobs, "CreateJob", name="create_job", actions=["PutItem", "UpdateItem"]
        )
        self.create_job.add_environment("WEBHOOKS", str(settings.webhooks).lower())
        self.create_job.add_environment("WEBHOOK_PRIVATE_HOSTS", settings.webhook_private_hosts)
        self.change_job = self._writer(jobs, "ChangeJob", name="change_job", actions=["UpdateItem"])
        self._allow_lists(self.change_job)
        self.read_jobs = self._read_jobs(jobs)
        self.webhooks = self._webhooks(jobs) if settings.webhooks else None
        self.schedules = self._schedules(jobs)
        authorizer = None if settings.auth == "none" else self._authorizer(jobs)
        self._add_calls(authorizer)
        # without CaloLive too: in the local run the relay is not behind the API
        self.create_ticket = self._create_ticket(jobs) if authorizer else None
        self._add_live_calls(live, authorizer)
        self._publish_names()
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)

    @property
    def functions(self) -> list[CaloFunction]:
        """The functions that handle calls."""
        tickets = [self.create_ticket] if self.create_ticket else []
        webhooks = [self.webhooks] if self.webhooks else []
        return [self.create_job, self.change_job, self.read_jobs, self.schedules, *webhooks, *tickets]

    def _authorizer(self, jobs: JobsStack) -> apigateway.IAuthorizer:
        """Return the check of tokens before a call. Its function is not among those with alarms.

        For API Gateway an error of this function is a refused token. Other errors are answered with 503,
        which the API's own alarm counts.
        """
        function = self._function(
            "Authorizer",
            name="authorizer",
            timeout=AUTHORIZER_TIMEOUT,
            environment=token_environment(self, jobs, self.settings),
        )
        return apigateway.TokenAuthorizer(
            self, "Tokens", handler=self._started(function), results_cache_ttl=Duration.minutes(5)
        )

    def _add_calls(self, authorizer: apigateway.IAuthorizer | None) -> None:
        functions = (self.create_job, self.change_job, self.read_jobs)
        create, change, read = (self._integration(function) for function in functions)
        jobs = self.api.root.add_resource("jobs")
        job = jobs.add_resource("{id}")
        self.api.add_call(jobs, "POST", create, authorizer)
        self.api.add_call(jobs, "GET", read, authorizer)
        self.api.add_call(jobs.add_resource("bulk"), "POST", create, authorizer)
        self.api.add_call(jobs.add_resource("cancel"), "POST", change, authorizer)
        self.api.add_call(jobs.add_resource("retry"), "POST", change, authorizer)
        self.api.add_call(job, "GET", read, authorizer)
        self.api.add_call(job, "DELETE", change, authorizer)
        self.api.add_call(job.add_resource("history"), "GET", read, authorizer)
        self.api.add_call(job.add_resource("retry"), "POST", change, authorizer)
        if self.webhooks is not None:
            webhooks = self._integration(self.webhooks)
            secret = self.api.root.add_resource("webhooks").add_resource("secret")
            for resource in (job.add_resource("deliveries"), secret):
                self.api.add_call(resource, "GET", webhooks, authorizer)
                self.api.add_call(resource, "POST", webhooks, authorizer)
        self._add_schedule_calls(authorizer)
        self.api.add_call(self.api.root.add_resource("stats"), "GET", read, authorizer)
        self.api.add_call(self.api.root.add_resource("kinds"), "GET", read, None)
        self.api.add_call(self.api.root.add_resource("openapi.json"), "GET", read, None)

    def _add_schedule_calls(self, authorizer: apigateway.IAuthorizer | None) -> None:
        integration = self._integration(self.schedules)
        schedules = self.api.root.add_resource("schedules")
        schedule = schedules.add_resource("{id}")
        for method in ("POST", "GET"):
            self.api.add_call(schedules, method, integration, authorizer)
        for method in ("GET", "PATCH", "DELETE"):
            self.api.add_call(schedule, method, integration, authorizer)

    def _add_live_calls(self, live: LiveStack | None, authorizer: apigateway.IAuthorizer | None) -> None:
        """Add the live stream, and with sign-in its tickets."""
        if live is None and self.create_ticket is None:
            return
        resource = self.api.root.add_resource("live")
        if self.create_ticket is not None:
            tickets = resource.add_resource("tickets")
            self.api.add_call(tickets, "POST", self._integration(self.create_ticket), authorizer)
        if live is not None:
            add_live_route(
                self.api,
                resource,
                balancer_host=self.read(live, "load-balancer-host"),
                link_id=self.read(live, "link-id"),
                balancer_arn=self.read(live, "load-balancer-arn"),
            )

    def _integration(self, function: CaloFunction) -> apigateway.LambdaIntegration:
        return apigateway.LambdaIntegration(self._started(function))

    def _started(self, function: CaloFunction) -> lambda_.IFunction:
        """Return the function, or a version that is initialized in advance."""
        if self.settings.api_start == "none":
            return function
        provisioned = self.settings.api_start == "provisioned"
        return lambda_.Alias(
            function,
            "Started",
            alias_name="started",
            version=function.current_version,
            provisioned_concurrent_executions=self.settings.api_provisioned if provisioned else None,
        )

    def _function(
        self,
        construct_id: str,
        *,
        name: str,
        environment: dict[str, str],
        memory: int = 256,
        timeout: int = API_TIMEOUT,
    ) -> CaloFunction:
        return CaloFunction(
            self,
            construct_id,
            name=name,
            bundles=self.bundles,
            timeout=timeout,
            memory=memory,
            metrics=self.settings.metrics,
            snap_start=self.settings.api_start == "snapstart",
            environment=environment,
        )

    @property
    def _job_environment(self) -> dict[str, str]:
        """The environment of every function that handles jobs."""
        return {"AUTH": self.settings.auth, "JOBS_TABLE": self.jobs_table}

    def _writer(self, jobs: JobsStack, construct_id: str, *, name: str, actions: list[str]) -> CaloFunction:
        """Create a function that reads jobs, writes them with these DynamoDB actions, and queues them."""
        # the salt must differ between deployments and stay the same within one
        own = {"KINDS": self._kinds_json(jobs), "CALLER_SALT": self.stack_id}
        environment = {**self._job_environment, **own}
        writer = self._function(construct_id, name=name, memory=512, environment=environment)
        actions = ["GetItem", "BatchGetItem", *actions]
        writer.allow([f"dynamodb:{action}" for action in actions], self.table_arn(self.jobs_table))
        writer.allow(["sqs:SendMessage"], *self._kind_queues(jobs))
        return writer

    def _kinds_json(self, jobs: JobsStack) -> str:
        """Return the module and the queue of each kind."""
        kinds = self.kinds.deployed.values()
        return self.to_json_string(
            {
                kind.name: {
                    "module": kind.declaration.module,
                    "queue": self.read(jobs, f"queue-url/{kind.name}"),
                }
                for kind in kinds
            }
        )

    def _read_jobs(self, jobs: JobsStack) -> CaloFunction:
        ledger = self.read(jobs, "ledger-table")
        limits = self.kinds.limits(self.settings, self.kinds.budgets.values())
        kinds = self.kinds.deployed.values()
        queues = self.to_json_string({kind.name: self.read(jobs, f"queue-url/{kind.name}") for kind in kinds})
        own = {"LEDGER_TABLE": ledger, "BUDGETS": limits, "QUEUES": queues}
        environment = {**self._job_environment, **own}
        # a page of 100 jobs needs more CPU time than the other calls
        reader = self._function("ReadJobs", name="read_jobs", memory=1024, environment=environment)
        table = self.table_arn(self.jobs_table)
        reader.allow(["dynamodb:GetItem", "dynamodb:BatchGetItem"], table, self.table_arn(ledger))
        reader.allow(["sqs:GetQueueAttributes"], *self._kind_queues(jobs))
        self._allow_lists(reader)
        return reader

    def _kind_queues(self, jobs: JobsStack) -> list[str]:
        """Return the ARNs of the queues of all kinds."""
        names = [f"queue/Jobs{kind.construct_name}" for kind in self.kinds.deployed.values()]
        return [self.queue_arn(self.read(jobs, name)) for name in names]

    def _allow_lists(self, function: CaloFunction) -> None:
        """Allow a function to find jobs by the indexes of the lists."""
        lists = LISTS if self.settings.auth == "none" else (*LISTS, LIST_OF_OPERATORS)
        table = self.table_arn(self.jobs_table)
        function.allow(["dynamodb:Query"], *(f"{table}/index/{name}" for name in lists))

    def _webhooks(self, jobs: JobsStack) -> CaloFunction:
        ledger, key = self.read(jobs, "ledger-table"), self.read(jobs, "webhook-key")
        own = {
            "LEDGER_TABLE": ledger,
            "WEBHOOKS_QUEUE_URL": self.read(jobs, "queue-url/WebhookNotices"),
            "WEBHOOK_KEY": key,
        }
        function = self._function("Webhooks", name="webhooks", environment={**self._job_environment, **own})
        function.allow(["dynamodb:GetItem"], self.table_arn(self.jobs_table))
        function.allow(["sqs:SendMessage"], self.queue_arn(self.read(jobs, "queue/WebhookNotices")))
        function.allow(["secretsmanager:GetSecretValue"], key)
        items = self.table_arn(ledger)
        function.allow_items(["dynamodb:GetItem"], items, "delivery#*")
        function.allow_items(["dynamodb:GetItem", "dynamodb:UpdateItem"], items, "webhook-secret#*")
        return function

    def _schedules(self, jobs: JobsStack) -> CaloFunction:
        own = {"KINDS": self._kinds_json(jobs), "CALLER_SALT": self.stack_id}
        environment = {**self._job_environment, **own}
        function = self._function("Schedules", name="schedules", memory=512, environment=environment)
        actions = ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"]
        table = self.table_arn(self.jobs_table)
        function.allow_items([f"dynamodb:{action}" for action in actions], table, f"{SCHEDULE_KEYS}*")
        return function

    def _create_ticket(self, jobs: JobsStack) -> CaloFunction:
        secret = self.read(jobs, "ticket-secret")
        environment = {"AUTH": self.settings.auth, "TICKET_SECRET": secret}
        function = self._function("CreateTicket", name="create_ticket", environment=environment)
        function.allow(["secretsmanager:GetSecretValue"], secret)
        return function

    def _publish_names(self) -> None:
        """Publish the values that other stacks read."""
        self.publish("api-id", self.api.rest_api_id)
        self.publish("log/api-calls", self.api.access_log.log_group_name)
        self.publish("log/CreateJob", self.create_job.log_group.log_group_name)
        for function in self.functions:
            self.publish(f"function/{function.node.id}", function.function_name)
