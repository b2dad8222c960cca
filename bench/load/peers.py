"""The processes of a load run: the origin, and the gateways in front of it."""

import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
GATEWAY_CPU = 0
LOAD_CPU = 1  # of the origin and of wrk

# What hangu always does for a request, in the peers' words; their guides recommend it too.
EDGE_WORK = {
    "nginx": """proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;
      add_header X-Request-Id $request_id;""",
    "haproxy": """option forwardfor
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-response set-header X-Request-Id %[unique-id]""",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, limit=10):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(f"{process.args} does not listen")


class Process:
    """One program, pinned to one core, with what it costs. Threads and children count."""

    def __init__(self, name, command, port, cpu):
        self.name, self.command, self.port, self.cpu = name, command, port, cpu
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["taskset", "-c", str(self.cpu), *self.command],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self):
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_ns(self):
        total = 0
        for pid in self.pids():
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
        return total

    def memory(self, field):
        """VmHWM, RssAnon ... of all its processes together, in bytes."""
        total = 0
        for pid in self.pids():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M).group(1)) * 1024
        return total

    def forget_peak(self):
        for pid in self.pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def fill(template, target, **values):
    text = (HERE / "peers" / template).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text)
    return target


def make_gateways(binary, directory, origin_port, bare):
    """Not started. `bare`: the peers do nothing but forward."""
    work = {"nginx": "", "haproxy": ""} if bare else EDGE_WORK
    gateways = []
    for name, program, template in (("nginx", "nginx", "nginx.conf"),
                                    ("haproxy", "haproxy", "haproxy.cfg")):
        port = free_port()
        config = fill(f"{template}.in", directory / template, DIR=directory, PORT=port,
                      ORIGIN_PORT=origin_port, EDGE_WORK=work[name])
        flag = "-c" if name == "nginx" else "-f"
        path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        gateways.append(Process(name, [path, flag, str(config)], port, GATEWAY_CPU))
    for event_loop in ("io_uring", "epoll"):
        name, port = f"hangu-{event_loop}", free_port()
        config = fill("hangu.yaml.in", directory / f"{name}.yaml", DIR=directory, NAME=name,
                      PORT=port, ORIGIN_PORT=origin_port, EVENT_LOOP=event_loop)
        gateways.append(Process(name, [binary, "run", "--config", str(config)], port, GATEWAY_CPU))
    return gateways


def make_origin(binary):
    port = free_port()
    return Process("origin", [binary, str(port)], port, LOAD_CPU)


def time_to_first_response(gateway):
    """Milliseconds from exec to the first answer; the gateway is stopped again."""
    begin = time.monotonic()
    gateway.process = subprocess.Popen(["taskset", "-c", str(gateway.cpu), *gateway.command],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.monotonic() < begin + 10 and gateway.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
                connection.request("GET", "/128")
                if connection.getresponse().status == 200:
                    return (time.monotonic() - begin) * 1000
            except OSError:
                pass
            finally:
                connection.close()
        raise RuntimeError(f"{gateway.name} does not answer")
    finally:
        gateway.stop()
