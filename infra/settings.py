"""Every setting of a deployment: `cdk deploy -c name=value`, or `context` in cdk.json."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

SIZES: dict[str, dict[str, Any]] = {
    "standard": {},
    "small": {
        "relay_tasks_min": 1,
        "relay_tasks_max": 1,
        "relay_units": 256,
        "relay_memory": 512,
        "relay_streams": 2_000,
        "nat_gateways": 0,
        "waf": False,
        "access_logs": False,
        "flow_logs": "none",
        "alarms": "few",
        "dashboard": False,
        "metrics": False,
    },
}
"""What each size sets instead of the defaults."""

FARGATE_MEMORY = {256: (512, 1024, 2048), 512: (1024, 2048, 3072, 4096), 1024: tuple(range(2048, 8193, 1024))}
"""MB that a task may have with so many CPU units:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size"""


@dataclass(frozen=True)
class Settings:
    """A deployment's settings. The defaults are those of `size=standard`.

    size: `standard`, or `small` for a deployment that costs little while idle. It sets the values in
        `SIZES`; a setting that is given as well overrides the size.
    images: `cdn` keeps copies of the images in S3 and shows them through CloudFront; `hotlink` shows
        Unsplash's own addresses, as its guidelines ask.
    images_base_url: where the stored images are shown; empty means the distribution's own domain.
    unsplash_api_url: the API, or any server that speaks its protocol.
    image_hosts: hosts that images may come from, with commas between; a host with a port may be asked
        by http, others by https only.
    rate_limit: requests that the access key allows in rate_window_seconds.
    retry_seconds: the middle of the first retry's wait; doubled with each retry.
    worker_timeout: seconds that one batch of jobs may take; a crashed batch comes again after six times that.
    worker_concurrency, result_concurrency, dlq_concurrency: how many batches each worker handles at the same
        time, from 2 to 1,000. A new account has ten concurrent executions for all its functions.
    grace_seconds: how late a pending job may be before the watchdog asks whether its message is lost.
    live: whether to deploy the live relay with its network. It is what costs money while idle.
    web: whether to deploy the web app.
    relay_cpu: the processor that the relay runs on and its image is built for: `arm64` or `x86_64`. Building
        for the other one than this machine's needs emulation (docs/operations.md).
    relay_tasks_min, relay_tasks_max: bounds of the relay's autoscaling. It needs `metrics`; with equal bounds
        the number of tasks is fixed.
    relay_units, relay_memory: size of a task in CPU units (1,024 are one vCPU) and MB.
    relay_streams: open streams that one task accepts.
    nat_gateways: of the relay's network; 2 survive the loss of a zone. With 0 the tasks run in public subnets
        and accept connections only from the load balancer.
    availability_zones: names of the zones for the relay's network, with commas between. Empty lets
        CloudFormation choose the first two. `make preflight` says when they must be named.
    api_rate, api_burst: requests a second that each call of the API lets through.
    post_rate, post_burst: the same for the two calls that make work: creating and retrying.
    live_rate, live_burst: the same for opening a live stream. When a relay stops, all its clients reconnect.
    api_key: ask every call for a key (header X-Api-Key), except preflights and the live stream. Needs
        web=false, for the web app is anybody's and has no key to send.
    api_start: how the API's functions start: `none` of it prepared, `snapstart` from a snapshot, or
        `provisioned`, with api_provisioned of each kept warm. The latter two cost money while idle.
    waf: filter what reaches the API; costs about ten dollars a month.
    waf_rate: requests that one address may make in five minutes.
    access_logs: keep what S3, CloudFront and the load balancer log of their requests. Must be false in the
        regions where CloudFront delivers no logs, like af-south-1 (infra/tools/preflight/zones.py).
    flow_logs: of the relay's network: `reject` logs what was turned away, `all` everything, or `none`.
    ops: whether to deploy the alarms and the dashboard.
    alarms: `all`, or `few` for those that matter most and need no custom metrics.
    dashboard: whether the dashboard is part of it. It costs three dollars a month.
    metrics: write custom metrics, which cost 30 cents a month each, and detailed ones of API and containers.
    alarm_email: who is told of alarms; empty means that nobody is.
    tls_only: refuse plain HTTP to queues, topics and buckets; false only where there is no TLS.
    retain_data: keep tables, images and access logs when their stack is deleted.
    nag: have cdk-nag check the templates, as `make check` does.
    """

    size: str = "standard"
    images: str = "cdn"
    images_base_url: str = ""
    unsplash_api_url: str = "https://api.unsplash.com"
    image_hosts: str = "images.unsplash.com,plus.unsplash.com"
    rate_limit: int = 50
    rate_window_seconds: int = 3600
    retry_seconds: int = 10
    worker_timeout: int = 60
    worker_concurrency: int = 10
    result_concurrency: int = 10
    dlq_concurrency: int = 2
    grace_seconds: int = 900
    live: bool = True
    web: bool = True
    relay_cpu: str = "arm64"
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
    api_start: str = "none"
    api_provisioned: int = 1
    waf: bool = True
    waf_rate: int = 2000
    access_logs: bool = True
    flow_logs: str = "reject"
    ops: bool = True
    alarms: str = "all"
    dashboard: bool = True
    metrics: bool = True
    alarm_email: str = ""
    tls_only: bool = True
    retain_data: bool = True
    nag: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError naming the setting that is wrong."""
        self._check_work()
        self._check_relay()
        self._check_api()
        _require(self.size in SIZES, "size", "must be standard or small")
        _require(self.alarms in ("all", "few"), "alarms", "must be all or few")
        _require(self.metrics or self.alarms == "few", "alarms", "must be few with metrics=false")
        _require("@" in self.alarm_email or not self.alarm_email, "alarm_email", "must be an e-mail address")

    def _check_work(self) -> None:
        _require(self.images in ("cdn", "hotlink"), "images", "must be cdn or hotlink")
        _require("://" in self.unsplash_api_url, "unsplash_api_url", "must be a URL")
        _require(bool(self.image_hosts), "image_hosts", "must name at least one host")
        _require(self.rate_limit >= 1, "rate_limit", "must be at least 1")
        _require(self.rate_window_seconds >= 1, "rate_window_seconds", "must be at least 1")
        _require(1 <= self.retry_seconds <= 900, "retry_seconds", "must be from 1 to 900")
        _require(5 <= self.worker_timeout <= 900, "worker_timeout", "must be from 5 to 900")
        _require(self.grace_seconds >= 1, "grace_seconds", "must be at least 1")
        # https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html
        for name in ("worker_concurrency", "result_concurrency", "dlq_concurrency"):
            _require(2 <= getattr(self, name) <= 1000, name, "must be from 2 to 1000")

    def _check_relay(self) -> None:
        bounds = 1 <= self.relay_tasks_min <= self.relay_tasks_max
        _require(bounds, "relay_tasks_min", "must be from 1 to relay_tasks_max")
        fixed = self.relay_tasks_min == self.relay_tasks_max
        _require(self.metrics or fixed, "relay_tasks_max", "must equal relay_tasks_min with metrics=false")
        _require(self.relay_cpu in ("arm64", "x86_64"), "relay_cpu", "must be arm64 or x86_64")
        _require(
            self.relay_units in FARGATE_MEMORY, "relay_units", f"must be one of {_any_of(FARGATE_MEMORY)}"
        )
        memory = FARGATE_MEMORY[self.relay_units]
        _require(self.relay_memory in memory, "relay_memory", f"must be one of {_any_of(memory)}")
        _require(100 <= self.relay_streams <= 50_000, "relay_streams", "must be from 100 to 50000")
        _require(0 <= self.nat_gateways <= 3, "nat_gateways", "must be from 0 to 3")
        zones = self.zones
        _require(
            not zones or 2 <= len(set(zones)) == len(zones), "availability_zones", "must name two or more"
        )
        _require(self.flow_logs in ("none", "reject", "all"), "flow_logs", "must be none, reject or all")

    def _check_api(self) -> None:
        _require(1 <= self.api_rate <= self.api_burst, "api_rate", "must be from 1 to api_burst")
        _require(
            not (self.api_key and self.web), "api_key", "needs web=false: the web app has no key to send"
        )
        _require(1 <= self.post_rate <= self.post_burst, "post_rate", "must be from 1 to post_burst")
        _require(1 <= self.live_rate <= self.live_burst, "live_rate", "must be from 1 to live_burst")
        starts = ("none", "snapstart", "provisioned")
        _require(self.api_start in starts, "api_start", "must be none, snapstart or provisioned")
        _require(1 <= self.api_provisioned <= 1000, "api_provisioned", "must be from 1 to 1000")
        # https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
        _require(10 <= self.waf_rate <= 2_000_000_000, "waf_rate", "must be from 10 to 2000000000")

    @property
    def zones(self) -> list[str]:
        """The names in `availability_zones`."""
        return [name.strip() for name in self.availability_zones.split(",") if name.strip()]

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "Settings":
        """Read CDK context. Raises ValueError naming the setting that is wrong or unknown.

        CDK's own context has names that are no identifiers, like `aws:cdk:enable-path-metadata`.
        """
        kinds = {field.name: field.type for field in fields(cls)}
        given = {name: value for name, value in context.items() if name.isidentifier()}
        for name in given:
            _require(name in kinds, name, f"is unknown; known are {', '.join(kinds)}")
        values = {name: _read(name, value, kinds[name]) for name, value in given.items()}
        return cls(**{**SIZES.get(values.get("size", "standard"), {}), **values})


def _require(holds: bool, name: str, message: str) -> None:
    if not holds:
        raise ValueError(f"setting {name} {message}")


def _any_of(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))


def _read(name: str, value: Any, kind: Any) -> Any:
    """Context from the command line is always text."""
    text = str(value)
    if kind is bool:
        _require(text.lower() in ("true", "false"), name, "must be true or false")
        return text.lower() == "true"
    if kind is int:
        _require(text.isdecimal(), name, "must be a whole number")
        return int(text)
    return text
