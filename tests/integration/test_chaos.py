"""Chaos: origins are killed, frozen and started anew on a fixed schedule while wrk asks through the
gateway and, at the same time, through HAProxy with the same origins, retries and health checks.
Our clients must see no more errors than HAProxy's. Needs nginx, haproxy and wrk (scripts/setup
test)."""

import csv
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from support.gateway import Gateway, make_config, sanitized
from support.origin import bound
from support.wait import DEADLINE, eventually

SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
NGINX, HAPROXY, WRK = (shutil.which(name, path=SEARCH) for name in ("nginx", "haproxy", "wrk"))

# What both proxies go by: a connection is made or given up in 200 ms, a try answered in 500 ms.
CONNECT_MS, TRY_MS, RETRIES = 200, 500, 3
# Both ask each origin how it is, so often; two answers in a row make it bad or good again.
CHECK_INTERVAL_MS, CHECK_TIMEOUT_MS, CHECK_FALL, CHECK_RISE = 500, 400, 2, 2

# (seconds, what, origin). One origin at least is well at any time.
SCHEDULE = ((1.0, "kill", 0), (2.5, "start", 0),
            (3.5, "freeze", 1), (5.5, "thaw", 1),
            (6.5, "kill", 2), (6.8, "kill", 1), (8.0, "start", 2), (8.3, "start", 1),
            (9.3, "freeze", 0), (9.6, "kill", 2), (10.8, "start", 2), (11.2, "thaw", 0))
SECONDS = 12

NGINX_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log /dev/null;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "from {port}\\n"; }}
    location /health {{ return 200 "well\\n"; }}
  }}
}}
"""

HAPROXY_CONFIG = """
global
  nbthread 2
  stats socket {folder}/stats.sock
defaults
  mode http
  timeout client 10s
  timeout connect {connect}ms
  timeout server {attempt}ms
  timeout queue 2s
  retries {retries}
  option redispatch 1
  option http-keep-alive
  http-reuse always
  retry-on conn-failure empty-response response-timeout 0rtt-rejected
frontend web
  bind fd@{fd}
  default_backend origins
backend origins
  balance roundrobin
  option httpchk GET /health
  default-server observe layer4 error-limit 5 on-error mark-down check
  default-server inter {interval}ms fall {fall} rise {rise}
  timeout check {check}ms
{servers}
"""

# About 400 requests a second for each connection at most, so that two cores suffice for all.
WRK_SCRIPT = """
function delay() return 2 end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, e.connect, e.read,
                         e.write, e.status, e.timeout))
end
"""


class Origin:
    """nginx in one process that does not mind being killed."""

    def __init__(self, folder, number):
        self.folder = folder / f"origin-{number}"
        self.folder.mkdir()
        self.kept = bound("127.0.0.1", 0)  # nobody else gets the port while this one is killed
        self.port = self.kept.getsockname()[1]
        (self.folder / "nginx.conf").write_text(
            NGINX_CONFIG.format(folder=self.folder, port=self.port), "utf-8")
        self.process = None
        self.start()

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-e", "/dev/null", "-c", self.folder / "nginx.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended with {self.process.returncode}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class HaProxy:
    def __init__(self, folder, origins):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(512)
            self.address = listener.getsockname()
            servers = "\n".join(f"  server origin-{number} {origin.endpoint}"
                                for number, origin in enumerate(origins))
            (folder / "haproxy.cfg").write_text(
                HAPROXY_CONFIG.format(folder=folder, fd=listener.fileno(), connect=CONNECT_MS,
                                      attempt=TRY_MS, retries=RETRIES, servers=servers,
                                      interval=CHECK_INTERVAL_MS, check=CHECK_TIMEOUT_MS,
                                      fall=CHECK_FALL, rise=CHECK_RISE), "utf-8")
            self.stats = folder / "stats.sock"
            self.process = subprocess.Popen(
                [HAPROXY, "-db", "-f", folder / "haproxy.cfg"], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(listener.fileno(),))

    def failed_checks(self):
        """Of all servers."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(DEADLINE)
            asked.connect(str(self.stats))
            asked.sendall(b"show stat origins 4 -1\n")
            with asked.makefile(encoding="ascii") as lines:
                return sum(int(row["chkfail"] or 0) for row in csv.DictReader(lines)
                           if row["# pxname"] == "origins")

    def stop(self):
        self.process.kill()
        self.process.wait(DEADLINE)


@dataclasses.dataclass
class Outcome:
    requests: int
    connect: int
    read: int
    write: int
    status: int
    timeout: int

    @property
    def errors(self):
        return self.connect + self.read + self.write + self.status + self.timeout


class Wrk:
    def __init__(self, folder, address):
        script = folder / "wrk.lua"
        script.write_text(WRK_SCRIPT, "utf-8")
        self.process = subprocess.Popen(
            [WRK, "-t", "1", "-c", "12", "-d", f"{SECONDS}s", "--timeout", "6s", "-s", script,
             f"http://{address[0]}:{address[1]}/"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def outcome(self):
        text, _ = self.process.communicate(timeout=SECONDS + DEADLINE)
        match = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", text)
        if not match:
            raise AssertionError(f"no result from wrk:\n{text}")
        return Outcome(*map(int, match.groups()))


def answers(address):
    try:
        with socket.create_connection(address, DEADLINE) as probe:
            probe.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return probe.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


@unittest.skipUnless(NGINX and HAPROXY and WRK, "nginx, haproxy or wrk is not installed: "
                                                "scripts/setup test")
class Chaos(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-chaos-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.origins = []
        for number in range(3):
            origin = Origin(self.folder, number)
            self.origins.append(origin)
            self.addCleanup(origin.kill)  # ends one that is frozen, too
            eventually(origin.listens, "the origin listens")

    def begin_gateway(self):
        gateway = Gateway(make_config(
            upstreams=[{"name": "origins", "endpoints": [one.endpoint for one in self.origins],
                        "timeouts": {"connect": f"{CONNECT_MS}ms"},
                        "health_check": {"path": "/health", "interval": f"{CHECK_INTERVAL_MS}ms",
                                         "timeout": f"{CHECK_TIMEOUT_MS}ms",
                                         "unhealthy": CHECK_FALL, "healthy": CHECK_RISE},
                        "ejection": {"failures": 5, "time": "1s", "time_max": "1s",
                                     "percent_max": 70},
                        "retry": {"attempts": RETRIES, "try_timeout": f"{TRY_MS}ms",
                                  "budget_percent": 100}}],
            routes=[{"name": "all", "upstream": "origins"}]))
        self.addCleanup(gateway.stop)
        return gateway

    def play(self):
        """The schedule, to the second."""
        began = time.monotonic()
        pause = threading.Event()
        for at, what, number in SCHEDULE:
            pause.wait(max(began + at - time.monotonic(), 0))
            getattr(self.origins[number], what)()

    def round(self, our_address, their_address):
        """What the clients of both saw, and that in words."""
        ours, theirs = Wrk(self.folder, our_address), Wrk(self.folder, their_address)
        self.play()
        ours, theirs = ours.outcome(), theirs.outcome()
        said = f"the gateway: {ours}; HAProxy: {theirs}"
        print(said, flush=True)
        return ours, theirs, said

    def test_clients_see_no_more_errors_than_with_haproxy(self):
        gateway = self.begin_gateway()
        haproxy = HaProxy(self.folder, self.origins)
        self.addCleanup(haproxy.stop)
        eventually(lambda: answers(haproxy.address), "HAProxy answers")
        eventually(lambda: answers(gateway.listener()), "the gateway answers")
        # A stall of the whole machine may cost either side a try: worse twice in a row is worse.
        for _ in range(2):
            ours, theirs, said = self.round(gateway.listener(), haproxy.address)
            if ours.errors <= theirs.errors:
                break
        # The chaos has reached the gateway: it had to send again, to eject, and its checks saw it.
        metrics = gateway.metrics()
        for outcome in ("good", "bad"):
            checks = metrics["hangu_upstream_health_checks_total"
                             f'{{upstream="origins",result="{outcome}"}}']
            self.assertGreaterEqual(checks, 3, f"{outcome} checks")
        self.assertGreaterEqual(haproxy.failed_checks(), 3, "bad checks of HAProxy")
        again = metrics['hangu_upstream_retries_total{upstream="origins"}'] + \
            metrics['hangu_upstream_replays_total{upstream="origins"}']
        self.assertGreaterEqual(again, 3)
        self.assertGreaterEqual(metrics['hangu_upstream_ejections_total{upstream="origins"}'], 1)
        self.assertGreater(ours.requests, 100)
        self.assertGreater(theirs.requests, 100)
        # A sanitizer slows one side of the comparison down: a few tries may then be out of time.
        slack = ours.requests // 200 if sanitized() else 0
        self.assertLessEqual(ours.errors, theirs.errors + slack, said)


if __name__ == "__main__":
    unittest.main()
