"""The servers that are compared: each is started on one core and accepts published events."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.deployment import ROOT
from local.processes import free_ports

NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
NGINX_CONF = """
load_module {module};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
worker_rlimit_nofile 20000;
events {{ worker_connections 15000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 128M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    tcp_nodelay on;
    keepalive_requests 1000000;
    location = /live {{
      nchan_subscriber eventsource; nchan_channel_id all; nchan_subscriber_first_message newest;
    }}
    location = /publish {{ nchan_publisher; nchan_channel_id all; nchan_message_buffer_length 2000; }}
  }}
}}
"""
START_SECONDS = 20


@dataclass(frozen=True)
class Running:
    """A started server: its process ID, its port, and where events are published (PUBLISH in load.c)."""

    pid: int
    port: int
    publish: str
    pass_fds: tuple[int, ...] = ()

    def memory(self) -> int:
        """Return the private memory of the process, in bytes."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

    def cpu(self) -> float:
        """Return the CPU time of the process so far, in seconds."""
        return cpu_seconds(self.pid)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, in seconds, including time in the kernel."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


Start = Callable[[Path, int], AbstractContextManager[Running]]


def compile_c(name: str, folder: Path) -> Path:
    """Compile one of the C programs in this folder and return the path of the binary."""
    program = folder / name
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source)], check=True)
    return program


@contextmanager
def relay(folder: Path, core: int, checkout: Path = ROOT) -> Iterator[Running]:
    """Start the relay of a checkout with all features on.

    Only its connection limits are raised, above the load's needs.
    """
    (port,) = free_ports(1)
    command = [
        sys.executable, "-m", "functions.sse_relay", "--feed", "stdin", "--host", "127.0.0.1",
        "--port", str(port), "--max-streams", "15000", "--max-per-address", "15000", "--drain-seconds", "0",
    ]  # fmt: skip
    with _started_with_pipe(command, core, port, folder / "relay.log", checkout) as running:
        yield running


@contextmanager
def bare_loop(folder: Path, core: int) -> Iterator[Running]:
    """Start the bare loop: one send() per client."""
    (port,) = free_ports(1)
    with _started_with_pipe(
        [str(folder / "bare_loop"), str(port)], core, port, folder / "bare.log"
    ) as running:
        yield running


@contextmanager
def nchan(folder: Path, core: int) -> Iterator[Running]:
    """Start nginx with nchan from Debian's packages: one worker, one channel, no access log."""
    (port,) = free_ports(1)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX_CONF.format(module=NCHAN, folder=folder, port=port))
    command = ["nginx", "-c", str(configuration), "-g", "daemon off; user root;"]
    with _started(command, core, folder / "nginx.log") as master:
        _wait_for(port)
        yield Running(_first_child(master.pid), port, "/publish")


def _first_child(pid: int) -> int:
    """Wait for the process to have a child, and return it. nginx listens before it starts its worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + START_SECONDS
    while not (pids := children.read_text().split()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} started no child")
        time.sleep(0.01)
    return int(pids[0])


SERVERS: dict[str, Start] = {"relay": relay, "nchan": nchan, "bare loop": bare_loop}


@contextmanager
def _started_with_pipe(
    command: list[str], core: int, port: int, log: Path, checkout: Path = ROOT
) -> Iterator[Running]:
    """Start a server that reads events as lines from its standard input."""
    source, sink = os.pipe()
    try:
        with _started(command, core, log, source, checkout) as server:
            _wait_for(port)
            yield Running(server.pid, port, str(sink), (sink,))
    finally:
        os.close(source)
        os.close(sink)


@contextmanager
def _started(
    command: list[str], core: int, log: Path, stdin: int = subprocess.DEVNULL, checkout: Path = ROOT
) -> Iterator["subprocess.Popen[bytes]"]:
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *command],
            cwd=checkout, stdin=stdin, stdout=output, stderr=subprocess.STDOUT,
        ) as server,
    ):  # fmt: skip
        try:
            yield server
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    """Wait until the port accepts connections. Raise ConnectionRefusedError after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
