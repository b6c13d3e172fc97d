"""The whole system on one machine: emulator, deployment, stand-in, relay and front door."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from infra.names import RELAY_QUEUE_PREFIX
from local.deployment import ROOT, Deployment
from local.emulator import MINISTACK, Emulator, ministack_environment
from local.processes import Process, StartError, answers, free_ports, is_free
from local.run_file import announced
from local.sign_in import User, create_users, read_settings, relay_environment, sign_in_settings, web_config

DRAIN_SECONDS = "1"


@dataclass(frozen=True)
class ThirdParty:
    """The Unsplash API that the worker uses, and its key. `stand_in` is the port of our stand-in, or None."""

    api_url: str
    image_hosts: str
    access_key: str
    stand_in: int | None = None

    @property
    def image_sources(self) -> list[str]:
        """Return the origins of images that are not stored here, for the content security policy."""
        return [
            f"http://{host}" if ":" in host else f"https://{host}" for host in self.image_hosts.split(",")
        ]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], free_port: int) -> "ThirdParty":
        """Return the API at UNSPLASH_API_URL, or the real one if a key is set, or the stand-in.

        Raises StartError if the URL is invalid.
        """
        hosts = "images.unsplash.com,plus.unsplash.com"
        key = environment.get("UNSPLASH_ACCESS_KEY", "")
        if url := environment.get("UNSPLASH_API_URL"):
            if not _is_http_url(url):
                raise StartError(f"UNSPLASH_API_URL must be a URL like http://localhost:9000, not {url!r}")
            return cls(url, f"{hosts},{urlsplit(url).netloc}", key or "local")
        if key:
            return cls("https://api.unsplash.com", hosts, key)
        host = f"127.0.0.1:{free_port}"
        return cls(f"http://{host}", host, "local", free_port)


def _is_http_url(url: str) -> bool:
    """Return whether it is an http or https URL with a host and, if it has a port, a valid one."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@dataclass(frozen=True)
class AnotherRelay:
    """The process of a second relay, and the URL of its streams."""

    process: Process
    url: str


@dataclass
class LocalSystem:
    """A context manager that starts and stops everything.

    `folder` gets logs and templates. `settings` override the deployment settings of a local run. `stand_in`
    are options of the stand-in. With `enforce_iam` MiniStack enforces IAM policies. With AWS_ENDPOINT_URL in
    `environment` the stacks are deployed to the emulator there, with the credentials in `environment`.
    `users` are those of the user pool, with the setting `auth=cognito`.
    """

    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    stand_in: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    say: Callable[[str], None] = lambda _: None
    enforce_iam: bool = False

    outputs: dict[str, str] = field(init=False)
    emulator: Emulator = field(init=False)
    deployment: Deployment = field(init=False)
    relay: Process = field(init=False)
    third_party: ThirdParty = field(init=False)
    users: list[User] = field(init=False, default_factory=list)

    def __enter__(self) -> "LocalSystem":
        if not is_free(self.port):
            raise StartError(f"port {self.port} is in use; choose another one, like: make run PORT=8090")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._running = ExitStack()
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """Return the URL of the front door."""
        return f"http://localhost:{self.port}"

    def start_relay(self) -> Process:
        """Start the relay on its port. Tests use it after they have killed the relay."""
        self.relay = self._relay("relay", self._relay_port)
        return self.relay

    @contextmanager
    def another_relay(self, environment: Mapping[str, str]) -> Iterator["AnotherRelay"]:
        """Run a second relay beside the front door. `environment` overrides the first relay's."""
        (port,) = free_ports(1)
        with self._relay("another-relay", port, environment) as process:
            yield AnotherRelay(process, f"http://127.0.0.1:{port}/live")

    def _relay(self, name: str, port: int, environment: Mapping[str, str] | None = None) -> Process:
        environment = {
            **self.emulator.environment,
            "POWERTOOLS_SERVICE_NAME": "sse_relay",
            "TOPIC_ARN": self.outputs["TopicArn"],
            "JOBS_TABLE": self.outputs["JobsTable"],
            "QUEUE_PREFIX": RELAY_QUEUE_PREFIX,
            "RELAY_NAME": name,
            **relay_environment(read_settings(self._settings()), self.outputs, self.emulator.region),
            **(environment or {}),
        }
        options = ["--port", str(port), "--drain-seconds", DRAIN_SECONDS]
        relay = self._run(name, ["functions.sse_relay", *options], environment)
        relay.wait_ready(f"http://127.0.0.1:{port}/healthz")
        return relay

    def _start(self) -> None:
        emulator_port, stand_in_port = free_ports(2)
        running = Emulator.from_environment(self.environment)
        self.emulator = running or Emulator(f"http://127.0.0.1:{emulator_port}")
        self.deployment = Deployment(self.emulator, self.folder)
        self.third_party = ThirdParty.from_environment(self.environment, stand_in_port)
        read_settings(self._settings())
        with ThreadPoolExecutor() as pool:
            self.say("writing the templates: cdk synth")
            synth = pool.submit(self.deployment.synth, self._settings())
            if self.third_party.stand_in is not None:
                self._start_stand_in(self.third_party.stand_in)
            if running is None:
                self.say("starting the AWS emulator: MiniStack")
                self._start_emulator(emulator_port)
            elif not answers(running.endpoint):
                raise StartError(f"nothing answers at AWS_ENDPOINT_URL={running.endpoint}")
            self.deployment.bootstrap()
            if self.enforce_iam:
                self.deployment.allow_plain_http()
            synth.result()
        self.say("deploying the stacks: cdk deploy")
        self.outputs = self.deployment.deploy()
        if self.enforce_iam:
            self.deployment.adapt_grants(self.outputs)
        secrets = {**self.environment, "UNSPLASH_ACCESS_KEY": self.third_party.access_key}
        self.deployment.complete(self.outputs, secrets)
        if "UserPoolId" in self.outputs:
            self.users = create_users(self.emulator, self.outputs["UserPoolId"])
        self.say("starting the relay and the front door")
        (self._relay_port,) = free_ports(1)
        self.start_relay()
        self._start_front_door()
        self._running.enter_context(announced(self.folder, self.url, self.emulator))

    def _settings(self) -> dict[str, str]:
        return {
            "live": "false",  # the emulator has no Fargate: the relay runs as a local process
            "web": "false",  # the emulator has no bucket deployments: the front door serves the app
            "access_logs": "false",  # the emulator writes none
            "images_base_url": self.url,
            "functions_platform": "local",
            "kind.*.retry_seconds": "1",
            # the emulator starts a process for each concurrent batch, and a developer's machine has few cores
            "kind.*.concurrency": "3",
            "kind.photo.environment": json.dumps(
                {"UNSPLASH_API_URL": self.third_party.api_url, "IMAGE_HOSTS": self.third_party.image_hosts}
            ),
            "budget_share": "1",  # all calls come from one address
            "result_concurrency": "2",
            "tls_only": "false",
            "waf": "false",  # the emulator cannot associate a firewall with an API
            "ops": "false",  # the emulator does not support alarms with metric math
            # benchmarks make many calls
            "post_rate": "100",
            "post_burst": "200",
            **sign_in_settings(self.settings.get("auth", "none"), self.emulator.endpoint, self.port),
            **self.settings,
        }

    def _start_emulator(self, port: int) -> None:
        if not MINISTACK.exists():
            raise StartError("the emulator is not installed; run: make install")
        scratch = self.folder / "emulator"
        scratch.mkdir()
        self._running.callback(shutil.rmtree, scratch, ignore_errors=True)
        environment = {**ministack_environment(port, scratch), "AUTH": str(self.enforce_iam).lower()}
        log = self.folder / "emulator.log"
        emulator = Process("the emulator", [str(MINISTACK)], environment, log, scratch)
        self._running.callback(emulator.kill)  # it has no state to save, and would take long to exit
        emulator.wait_ready(f"http://127.0.0.1:{port}/_ministack/health")

    def _start_stand_in(self, port: int) -> None:
        command = ["local.stand_in", "--port", str(port), *self.stand_in]
        stand_in = self._run("stand-in", command, self.emulator.environment)
        stand_in.wait_ready(f"http://127.0.0.1:{port}/healthz")

    def _start_front_door(self) -> None:
        sign_in = web_config(read_settings(self._settings()), self.outputs, self.emulator.region)
        api = f"{self.emulator.endpoint}/restapis/{self.outputs['ApiId']}/api/_user_request_"
        command = [
            "local.front_door", "--port", str(self.port), "--api", api,
            "--relay", f"http://127.0.0.1:{self._relay_port}",
            "--bucket", self.outputs["ImagesBucket"],
            *[f"--image-source={source}" for source in self.third_party.image_sources],
            *([f"--sign-in={json.dumps(sign_in)}"] if sign_in else []),
            *(["--sign-in-page", self.emulator.endpoint] if self.users else []),
        ]  # fmt: skip
        front_door = self._run("front-door", command, self.emulator.environment)
        front_door.wait_ready(f"http://127.0.0.1:{self.port}/")

    def _run(self, name: str, module: list[str], environment: Mapping[str, str]) -> Process:
        log = self.folder / f"{name}.log"
        process = Process(name, [sys.executable, "-m", *module], environment, log, ROOT)
        return self._running.enter_context(process)
