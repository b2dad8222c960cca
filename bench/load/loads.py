"""The programs that put load on a gateway, and what they say."""

import dataclasses
import pathlib
import re
import subprocess

from peers import LOAD_CPU

HERE = pathlib.Path(__file__).resolve().parent
GRPC_MESSAGE = HERE / "grpc_message.bin"


@dataclasses.dataclass
class Load:
    requests: int
    microseconds: int
    received: int
    errors: int
    p50: int | None = None  # microseconds, as the others
    p99: int | None = None
    p999: int | None = None


def run(gateway, scenario, seconds):
    tool = {"wrk": run_wrk, "h2load": run_h2load, "s_time": run_s_time}[scenario.tool]
    return tool(gateway, scenario, seconds)


def output_of(command, seconds, text):
    done = subprocess.run(["taskset", "-c", str(LOAD_CPU), *command], capture_output=True,
                          text=True, timeout=seconds + 60, check=True)
    found = re.search(text, done.stdout, re.S)
    if not found:
        raise RuntimeError(f"{command[0]} said nothing: {done.stdout}{done.stderr}")
    return found


def url(gateway, scenario):
    if scenario.tls:
        return f"https://127.0.0.1:{gateway.tls_port}{scenario.path}"
    port = gateway.h2c_port if scenario.tool == "h2load" else gateway.port
    return f"http://127.0.0.1:{port}{scenario.path}"


def run_wrk(gateway, scenario, seconds):
    arguments = scenario.arguments
    if "FIELDS" in arguments:  # the origin asks for none
        arguments = ("FIELDS", str(gateway.fields)) if gateway.fields else ()
    found = output_of(["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "--timeout",
                       "10s", "-s", str(HERE / "load.lua"), url(gateway, scenario), "--",
                       *arguments], seconds, r"RESULT ([\d ]+)")
    requests, microseconds, received, p50, p99, p999, errors = map(int, found[1].split())
    return Load(requests, microseconds, received, errors, p50, p99, p999)


def run_h2load(gateway, scenario, seconds):
    fields = ["-d", str(GRPC_MESSAGE), "-H", "content-type: application/grpc", "-H",
              "te: trailers"] if scenario.grpc else []
    found = output_of(["h2load", "-t1", f"-c{scenario.connections}", f"-m{scenario.streams}",
                       f"-D{seconds}", *fields, url(gateway, scenario)], seconds,
                      r"(\d+) done, (\d+) succeeded, (\d+) failed.*?\((\d+)\) data")
    done, succeeded, failed, received = map(int, found.groups())
    return Load(done, seconds * 1_000_000, received, failed + done - succeeded)


def run_s_time(gateway, scenario, seconds):
    """TLS 1.2: with 1.3 s_time ends each connection before it has the ticket."""
    found = output_of(["openssl", "s_time", "-connect", f"127.0.0.1:{gateway.tls_port}", "-reuse",
                       "-tls1_2", "-time", str(seconds), "-www", scenario.path], seconds,
                      r"reuse.*?(\d+) connections in (\d+) real seconds, (\d+) bytes read")
    connections, real_seconds, each = map(int, found.groups())
    return Load(connections, real_seconds * 1_000_000, connections * each, 0)
