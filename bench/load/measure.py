"""One run of wrk against one gateway, and the memory of idle connections."""

import dataclasses
import pathlib
import resource
import socket
import subprocess
import time

from peers import LOAD_CPU

LUA = pathlib.Path(__file__).resolve().parent / "load.lua"
DESCRIPTORS = 20_000


@dataclasses.dataclass
class Sample:
    rps: float
    p50: int  # microseconds, as p99 and p999
    p99: int
    p999: int
    cpu: float  # microseconds of the gateway's CPU time for each request
    rss: float  # MiB, peak
    busy: float  # share of its core that the gateway used
    errors: int


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def run_wrk(gateway, scenario, seconds):
    command = ["taskset", "-c", str(LOAD_CPU), "wrk", "-t1", f"-c{scenario.connections}",
               f"-d{seconds}s", "--timeout", "10s", "-s", str(LUA),
               f"http://127.0.0.1:{gateway.port}{scenario.path}", "--", *scenario.arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return [int(number) for number in line.split()[1:]]
    raise RuntimeError(f"wrk said nothing: {done.stdout}{done.stderr}")


def measure(gateway, scenario, seconds):
    gateway.forget_peak()
    cpu_before = gateway.cpu_ns()
    requests, microseconds, p50, p99, p999, errors = run_wrk(gateway, scenario, seconds)
    cpu_ns = gateway.cpu_ns() - cpu_before
    return Sample(rps=requests * 1e6 / microseconds, p50=p50, p99=p99, p999=p999,
                  cpu=cpu_ns / 1000 / max(requests, 1),
                  rss=gateway.memory("VmHWM") / 1024 / 1024,
                  busy=cpu_ns / 1000 / microseconds, errors=errors)


def idle_bytes_per_connection(gateway, count):
    """User memory that an idle keep-alive connection costs, after one request on each."""
    request = b"GET /128 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    before = gateway.memory("RssAnon")
    sockets = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", gateway.port), 10)
            connection.sendall(request)
            if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("no answer")
            sockets.append(connection)
        time.sleep(0.5)
        return (gateway.memory("RssAnon") - before) / count
    finally:
        for connection in sockets:
            connection.close()
