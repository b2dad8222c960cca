"""The processes of a load run: the origin, and the gateways in front of it."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import credentials

HERE = pathlib.Path(__file__).resolve().parent
GATEWAY_CPU = 0
LOAD_CPU = 1  # of the origin, of wrk and of run.py
START_SECONDS = 10

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


class Process:
    """One program, pinned to one core, with what it costs. Threads and children count."""

    def __init__(self, name, command, directory, port, cpu, origins=()):
        self.name, self.command, self.port, self.cpu = name, command, port, cpu
        self.origins = origins
        self.tls_port = self.h2c_port = port
        self.fields = None  # file with header fields for its clients
        self.log = directory / f"{name}.out"
        self.process = None

    def spawn(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["taskset", "-c", str(self.cpu), *self.command],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        for origin in self.origins:
            origin.start()
        self.spawn()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.005)
        raise RuntimeError(f"{self.name} does not listen: {self.said()}")

    def said_all(self):
        return self.log.read_text(errors="replace")

    def said(self):
        return self.log.read_text(errors="replace")[-1000:] or "it said nothing"

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for origin in self.origins:
            origin.stop()

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


def find(program):
    """Debian has the peers where an ordinary user's PATH does not look."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise SystemExit(f"run.py: no {program}: scripts/setup bench")
    return path


def fill(template, target, **values):
    text = (HERE / "peers" / template).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text)
    return target


def make_special_gateways(binary, directory, origin_binary, templates):
    """Those that have a template in that folder of peers/. Not started."""
    directory = directory / templates
    directory.mkdir()
    directory.chmod(0o755)
    given = credentials.Credentials(directory)
    gateways = []

    def add(name, template, command, **values):
        if not (HERE / "peers" / templates / f"{template}.in").exists():
            return
        origin = make_origin(origin_binary, directory, f"origin-of-{name}")
        port = free_port()
        config = fill(f"{templates}/{template}.in", directory / f"{name}-{template}", DIR=directory,
                      NAME=name, PORT=port, ORIGIN_PORT=origin.port, **given.values, **values)
        process = Process(name, [*command, str(config)], directory, port, GATEWAY_CPU, (origin,))
        process.fields = given.fields
        gateways.append(process)

    add("nginx", "nginx.conf", [find("nginx"), "-c"], EDGE_WORK=EDGE_WORK["nginx"])
    add("haproxy", "haproxy.cfg", [find("haproxy"), "-f"], EDGE_WORK=EDGE_WORK["haproxy"])
    for event_loop in ("io_uring", "epoll"):
        add(f"hangu-{event_loop}", "hangu.yaml", [binary, "run", "--config"],
            EVENT_LOOP=event_loop)
    return gateways


def make_gateways(binary, directory, origin_binary, bare):
    """Not started. `bare`: the peers do nothing but forward."""
    work = {"nginx": "", "haproxy": ""} if bare else EDGE_WORK
    gateways = []

    certificate, key = make_certificate(directory)

    def add(name, template, command, **values):
        # An origin each: all the pools together would need more descriptors than one process has.
        origin = make_origin(origin_binary, directory, f"origin-of-{name}")
        http2_origin = make_http2_origin(directory, f"h2-origin-of-{name}")
        port, tls_port, h2c_port = free_port(), free_port(), free_port()
        config = fill(f"{template}.in", directory / f"{name}-{template}", DIR=directory, NAME=name,
                      PORT=port, TLS_PORT=tls_port, H2C_PORT=h2c_port, ORIGIN_PORT=origin.port,
                      HTTP2_ORIGIN_PORT=http2_origin.port, CERT=certificate, KEY=key, **values)
        process = Process(name, [*command, str(config)], directory, port, GATEWAY_CPU,
                          (origin, http2_origin))
        process.tls_port, process.h2c_port = tls_port, h2c_port
        gateways.append(process)

    add("nginx", "nginx.conf", [find("nginx"), "-c"], EDGE_WORK=work["nginx"],
        EDGE_WORK_GRPC=work["nginx"].replace("proxy_set_header", "grpc_set_header"))
    add("haproxy", "haproxy.cfg", [find("haproxy"), "-f"], EDGE_WORK=work["haproxy"])
    add("nghttpx", "nghttpx.conf", [find("nghttpx"), "--conf"])
    add("h2o", "h2o.yaml", [find("h2o"), "-c"])
    for event_loop in ("io_uring", "epoll"):
        add(f"hangu-{event_loop}", "hangu.yaml", [binary, "run", "--config"],
            EVENT_LOOP=event_loop)
    return gateways


def make_certificate(directory):
    """For all of them; HAProxy wants the key in the same file."""
    key, certificate = directory / "tls.pem.key", directory / "tls.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    key.chmod(0o644)
    return certificate, key


def make_http2_origin(directory, name):
    """nghttpd, with 128 bytes under /h2/file, and the trailer of a gRPC call that went well."""
    files = directory / "files" / "h2"
    files.mkdir(parents=True, exist_ok=True)
    (files / "file").write_bytes(b"x" * 128)
    port = free_port()
    return Process(name, [find("nghttpd"), "--no-tls", "--address=127.0.0.1", "--workers=1",
                          f"--htdocs={directory / 'files'}", "--trailer=grpc-status: 0",
                          "--max-concurrent-streams=1000", str(port)], directory, port, LOAD_CPU)


def make_origin(binary, directory, name):
    port = free_port()
    return Process(name, [binary, str(port)], directory, port, LOAD_CPU)
