"""All settings of a deployment: `cdk deploy -c name=value`, or `context` in cdk.json."""

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

Size = Literal["standard", "small"]
ImageSource = Literal["cdn", "hotlink"]
Processor = Literal["arm64", "x86_64"]
ApiStart = Literal["none", "snapstart", "provisioned"]
FlowLogs = Literal["none", "reject", "all"]
AlarmSet = Literal["all", "few"]
Platform = Literal["lambda", "local"]
Auth = Literal["none", "cognito", "oidc"]

SIZES: dict[Size, dict[str, Any]] = {
    "standard": {},
    "small": {
        "relay_tasks_min": 1,
        "relay_tasks_max": 1,
        "relay_units": 256,
        "relay_memory": 512,
        "relay_streams": 2_000,
        "nat_gateways": 0,
        "waf": False,
        "webhooks": False,
        "access_logs": False,
        "flow_logs": "none",
        "alarms": "few",
        "dashboard": False,
        "metrics": False,
    },
}
"""The settings that each size changes from their defaults."""

SQS_MAX_DELAY = 900
"""The longest delay of a message, in seconds:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html"""

FARGATE_MEMORY = {256: (512, 1024, 2048), 512: (1024, 2048, 3072, 4096), 1024: tuple(range(2048, 8193, 1024))}
"""The memory sizes (MB) that Fargate supports for each number of CPU units:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size"""

STREAM_KB, RELAY_MB = 80, 120
"""Memory of the relay: KB for each stream, most of it the kernel's send buffer, and MB for everything else
(docs/performance.md)."""


SAFE_URL = "must be an https URL; http is allowed for loopback addresses only"

LOCAL_RUN = {"local_run": True}
"""Metadata of the settings that exist only for the local run. In AWS, keep their defaults."""


@dataclass(frozen=True)
class Settings:
    """The settings of a deployment. The defaults are those of `size=standard`.

    size: `standard`, or `small` for a deployment that costs little while idle. It sets the values in
        `SIZES`. Settings that are given explicitly override the size.
    images: `cdn` stores copies of the images in S3 and serves them through CloudFront. `hotlink` uses
        Unsplash's own image URLs, as its guidelines ask.
    budget_share: the share of a window's requests that one caller can use before the window's last sixth, up
        to 1.
    result_concurrency, dlq_concurrency, webhook_concurrency: batches that the workers of results and dead
        letters and the sender of webhooks process concurrently, 2 to 1,000. A new account has ten concurrent
        executions for all functions together.
    grace_seconds: how late a pending job may be before the watchdog checks whether its message is lost.
    live: whether to deploy the live relay and its network, which cause most of the idle cost.
    web: whether to deploy the web app.
    relay_cpu: the processor architecture of the relay's task and image. Building for another architecture
        than this machine's needs emulation (docs/operations.md).
    relay_tasks_min, relay_tasks_max: bounds of the relay's autoscaling, which needs `metrics`. If they are
        equal, the number of tasks is fixed.
    relay_units, relay_memory: size of a task in CPU units (1,024 are one vCPU) and MB.
    relay_streams: open streams that one task accepts.
    nat_gateways: NAT gateways of the relay's network. With 2, it survives the loss of a zone. With 0, the
        tasks run in public subnets and accept connections only from the load balancer.
    availability_zones: comma-separated names of the zones of the relay's network. If empty, CloudFormation
        chooses the first two. `make preflight` reports when they must be named.
    api_rate, api_burst: throttling limits of each API call: requests per second, and burst.
    post_rate, post_burst: the same for the calls that create work: creating and retrying a job, and
        sending its webhook again.
    live_rate, live_burst: the same for opening a live stream. When a relay stops, all its clients reconnect.
    api_key: require an API key (header X-Api-Key) for every call except preflights and the live stream. Needs
        web=false, because the web app is public and cannot keep a key secret.
    api_start: how the API's functions start: `none` (cold), `snapstart` (from a snapshot), or `provisioned`
        (api_provisioned instances of each function are kept warm). The last two cost money while idle.
    auth: `none`: everyone can see and change all jobs. `cognito`: callers sign in with a user pool that is
        created. `oidc`: with the OpenID Connect issuer in `oidc_issuer` (docs/sign-in.md).
    oidc_issuer: its URL, as in the claim `iss` of its tokens.
    oidc_audience: what its tokens must have as `aud`, or as `client_id` if they have no `aud`. Also the id of
        the web app's client at this issuer.
    oidc_jwks_url: URL of the issuer's keys. If empty, its discovery document names it. `{pool}` stands for
        the id of the user pool.
    oidc_groups_claim: the claim with the groups of a user. Members of `operators` see and change all jobs.
        For Cognito it is `cognito:groups`.
    self_sign_up: whether people can create an account in the user pool themselves.
    sign_in_urls: comma-separated URLs of frontends to which Cognito may return after sign-in, besides that of
        the deployed web app.
    webhooks: whether jobs can have a webhook. While idle, its queue and its key cost about a dollar a month.
    waf: deploy a web application firewall (AWS WAF) for the API. It costs about ten dollars a month.
    waf_rate: requests that one IP address may make in five minutes.
    access_logs: store the access logs of S3, CloudFront and the load balancer. Must be false in regions where
        CloudFront cannot deliver logs, such as af-south-1 (infra/tools/preflight/zones.py).
    flow_logs: flow logs of the relay's network: `reject` records rejected traffic, `all` all traffic.
    ops: whether to deploy the alarms and the dashboard.
    alarms: `all`, or `few` for the most important ones, which do not need custom metrics.
    dashboard: whether to deploy the dashboard. It costs three dollars a month.
    metrics: write custom metrics, which cost 30 cents each per month, and enable detailed metrics of the API
        and the containers.
    alarm_email: the e-mail address that alarms notify. If empty, no e-mail is sent.
    retain_data: keep tables, images and access logs when their stack is deleted.
    nag: check the templates with cdk-nag, as `make check` does.

    Settings with a dot in their name change single kinds and budgets, such as `kind.photo.timeout`. They are
    in `overrides`; infra/deployed_kinds.py reads them.

    These settings exist for the local run (`make run`):

    images_base_url: base URL of the stored images. If empty, the distribution's own domain.
    webhook_private_hosts: comma-separated `host:port` pairs that webhooks may call although they are not
        public. They may use plain http.
    kinds_folders: comma-separated folders with more kinds, beside `kinds`.
    functions_platform: `lambda`, or `local` for an emulator that runs functions with the interpreter in
        .venv-emulator.
    tls_only: reject plain HTTP requests to queues, topics and buckets.
    """

    size: Size = "standard"
    images: ImageSource = "cdn"
    budget_share: float = 0.5
    result_concurrency: int = 10
    dlq_concurrency: int = 2
    webhook_concurrency: int = 5
    grace_seconds: int = SQS_MAX_DELAY
    live: bool = True
    web: bool = True
    relay_cpu: Processor = "arm64"
    relay_tasks_min: int = 2
    relay_tasks_max: int = 10
    relay_units: int = 512
    relay_memory: int = 1024
    relay_streams: int = 10_000
    nat_gateways: int = 1
    availability_zones: str = ""
    api_rate: int = 100
    api_burst: int = 200
    post_rate: int = 20
    post_burst: int = 40
    live_rate: int = 2000
    live_burst: int = 4000
    api_key: bool = False
    api_start: ApiStart = "none"
    api_provisioned: int = 1
    auth: Auth = "none"
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_jwks_url: str = ""
    oidc_groups_claim: str = "groups"
    self_sign_up: bool = False
    sign_in_urls: str = "http://localhost:8080/"
    webhooks: bool = True
    waf: bool = True
    waf_rate: int = 2000
    access_logs: bool = True
    flow_logs: FlowLogs = "reject"
    ops: bool = True
    alarms: AlarmSet = "all"
    dashboard: bool = True
    metrics: bool = True
    alarm_email: str = ""
    retain_data: bool = True
    nag: bool = False
    images_base_url: str = field(default="", metadata=LOCAL_RUN)
    webhook_private_hosts: str = field(default="", metadata=LOCAL_RUN)
    kinds_folders: str = field(default="", metadata=LOCAL_RUN)
    functions_platform: Platform = field(default="lambda", metadata=LOCAL_RUN)
    tls_only: bool = field(default=True, metadata=LOCAL_RUN)
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError with the name of the first invalid setting."""
        for setting in fields(self):
            if choices := _choices(setting):
                valid = getattr(self, setting.name) in choices
                _require(valid, setting.name, f"must be {_any_of(choices)}")
        self._check_work()
        self._check_relay()
        self._check_api()
        self._check_sign_in()
        _require(self.metrics or self.alarms == "few", "alarms", "must be few with metrics=false")
        _require("@" in self.alarm_email or not self.alarm_email, "alarm_email", "must be an e-mail address")

    def _check_work(self) -> None:
        _require(0 < self.budget_share <= 1, "budget_share", "must be above 0 and at most 1")
        _require(self.grace_seconds >= 1, "grace_seconds", "must be at least 1")
        # https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html
        for name in ("result_concurrency", "dlq_concurrency", "webhook_concurrency"):
            self._require_range(name, 2, 1000)

    def _check_relay(self) -> None:
        bounds = 1 <= self.relay_tasks_min <= self.relay_tasks_max
        _require(bounds, "relay_tasks_min", "must be from 1 to relay_tasks_max")
        fixed = self.relay_tasks_min == self.relay_tasks_max
        _require(self.metrics or fixed, "relay_tasks_max", "must equal relay_tasks_min with metrics=false")
        _require(self.relay_units in FARGATE_MEMORY, "relay_units", f"must be {_any_of(FARGATE_MEMORY)}")
        memory = FARGATE_MEMORY[self.relay_units]
        _require(self.relay_memory in memory, "relay_memory", f"must be {_any_of(memory)}")
        self._require_range("relay_streams", 100, 50_000)
        most = (self.relay_memory - RELAY_MB) * 1024 // STREAM_KB
        _require(
            self.relay_streams <= most,
            "relay_streams",
            f"must be at most {most} with relay_memory={self.relay_memory}",
        )
        self._require_range("nat_gateways", 0, 3)
        distinct = len(set(self.zones))
        valid = not self.zones or 2 <= distinct == len(self.zones)
        _require(valid, "availability_zones", "must name two or more different zones")

    def _check_api(self) -> None:
        _require(1 <= self.api_rate <= self.api_burst, "api_rate", "must be from 1 to api_burst")
        keeps_secret = not (self.api_key and self.web)
        _require(keeps_secret, "api_key", "needs web=false, because the web app cannot send a key")
        _require(1 <= self.post_rate <= self.post_burst, "post_rate", "must be from 1 to post_burst")
        for host in filter(None, self.webhook_private_hosts.split(",")):
            _require(_is_host_and_port(host.strip()), "webhook_private_hosts", "must list host:port pairs")
        _require(1 <= self.live_rate <= self.live_burst, "live_rate", "must be from 1 to live_burst")
        self._require_range("api_provisioned", 1, 1000)
        # https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
        self._require_range("waf_rate", 10, 2_000_000_000)

    def _check_sign_in(self) -> None:
        for name in ("oidc_issuer", "oidc_audience"):
            with_oidc = self.auth == "oidc"
            _require(bool(getattr(self, name)) == with_oidc, name, "is needed with auth=oidc, and only then")
        _require(not self.oidc_jwks_url or self.auth != "none", "oidc_jwks_url", "needs auth=cognito or oidc")
        _require(not self.self_sign_up or self.auth == "cognito", "self_sign_up", "needs auth=cognito")
        _require(bool(self.oidc_groups_claim), "oidc_groups_claim", "must be the name of a claim")
        for name in ("oidc_issuer", "oidc_jwks_url"):
            if url := getattr(self, name):
                _require(_is_safe_url(url), name, SAFE_URL)
        _require(bool(self.frontends), "sign_in_urls", "must name at least one URL")
        for url in self.frontends:
            _require(_is_safe_url(url), "sign_in_urls", SAFE_URL)

    def _require_range(self, name: str, lowest: int, highest: int) -> None:
        _require(lowest <= getattr(self, name) <= highest, name, f"must be from {lowest} to {highest}")

    def share(self, limit: int) -> int:
        """Return how many units of a budget one caller can use before a window's last sixth, at least one."""
        return max(1, int(limit * self.budget_share))

    @property
    def extra_kinds(self) -> list[Path]:
        """The folders in `kinds_folders`."""
        return [Path(name.strip()).resolve() for name in self.kinds_folders.split(",") if name.strip()]

    @property
    def frontends(self) -> list[str]:
        """The URLs in `sign_in_urls`."""
        return [url.strip() for url in self.sign_in_urls.split(",") if url.strip()]

    @property
    def zones(self) -> list[str]:
        """The names in `availability_zones`."""
        return [name.strip() for name in self.availability_zones.split(",") if name.strip()]

    @property
    def changed_local_run_settings(self) -> list[str]:
        """The names of the settings for the local run that differ from their defaults."""
        local_run = [setting for setting in fields(self) if "local_run" in setting.metadata]
        return [setting.name for setting in local_run if getattr(self, setting.name) != setting.default]

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "Settings":
        """Read the settings from CDK context. Raises ValueError naming an invalid or unknown setting.

        CDK's own context keys are ignored. They are not identifiers, for example
        `aws:cdk:enable-path-metadata`. Settings with a dot are not checked here.
        """
        types = {setting.name: setting.type for setting in fields(cls) if setting.name != "overrides"}
        given = {name: value for name, value in context.items() if name.isidentifier()}
        overrides = {name: value for name, value in context.items() if _is_dotted(name)}
        for name in given:
            _require(name in types, name, f"is unknown; {_suggestion(name, types)}")
        values = {name: _parse(name, value, types[name]) for name, value in given.items()}
        return cls(**{**SIZES.get(values.get("size", "standard"), {}), **values}, overrides=overrides)


def _require(valid: bool, name: str, message: str) -> None:
    if not valid:
        raise ValueError(f"setting {name} {message}")


def _is_safe_url(url: str) -> bool:
    """Return whether it is https, or a loopback address, to which plain http is safe."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_valid = parts.port != 0 and not parts.username and not parts.fragment and url.isprintable()
    except ValueError:
        return False
    if not is_valid or not host or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_host_and_port(text: str) -> bool:
    """Return whether a text is a host and its port as they are in a URL, such as 127.0.0.1:9000."""
    try:
        parts = urlsplit(f"http://{text}")
        is_valid = bool(parts.hostname and parts.port) and text.isprintable()
    except ValueError:
        return False
    return is_valid and parts.netloc == text and not set("@ ") & set(text)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_dotted(name: str) -> bool:
    """Return whether it is the name of a setting for a kind or a budget, such as `kind.photo.timeout`."""
    first, dot, _ = name.partition(".")
    return bool(dot) and first.isidentifier()


def _choices(setting: Field[Any]) -> tuple[str, ...]:
    """Return the values that a setting of a `Literal` type can have, or an empty tuple for other types."""
    return get_args(setting.type) if get_origin(setting.type) is Literal else ()


def _any_of(values: Iterable[object]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last


def _suggestion(name: str, names: Iterable[str]) -> str:
    """Return a hint with the settings whose names are closest to an unknown name."""
    matches = get_close_matches(name, names)
    return f"did you mean {_any_of(matches)}?" if matches else "infra/settings.py lists all settings"


def _parse(name: str, value: Any, type_: Any) -> Any:
    """Convert a value of the context, which is a string if it comes from the command line."""
    text = str(value)
    if type_ is bool:
        _require(text.lower() in ("true", "false"), name, "must be true or false")
        return text.lower() == "true"
    if type_ is int:
        _require(text.isdecimal(), name, "must be a whole number")
        return int(text)
    if type_ is float:
        _require(text.replace(".", "", 1).isdecimal(), name, "must be a number")
        return float(text)
    return text
