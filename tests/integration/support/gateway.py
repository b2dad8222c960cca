"""Gateway: the real `hangu` in a process and a directory of its own, on free ports. It is ready
when the constructor returns; `stop()` holds it to a clean end."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from support.client import Client
from support.wait import DEADLINE, eventually
from support.wire import Ended

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("HANGU_BINARY") or str(ROOT / "build/dev/bin/hangu")
# Which event loop this run is about; run.py sets it.
BACKEND = os.environ.get("HANGU_TEST_BACKEND", "auto")
CRASH = re.compile(r"(Address|Leak|Thread|UndefinedBehavior|Memory)Sanitizer|runtime error: |"
                   r"assertion failed|terminate called")


class Unusable(Exception):
    """There is no binary to test, or it does not run."""


def run_hangu(*arguments, **options):
    """Runs one command to its end: stdout, stderr and returncode as of subprocess.run()."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=DEADLINE * 2, stdin=subprocess.DEVNULL, **options)


def version():
    try:
        done = run_hangu("version", "--json")
    except OSError as error:
        raise Unusable(f"{BINARY}: {error.strerror}; build it, or set HANGU_BINARY") from None
    if done.returncode != 0:
        raise Unusable(f"{BINARY} version: exit code {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def sanitized():
    """Whether the binary has a sanitizer built in: slow, and its memory is not its own."""
    return "sanitizer" in version()["build"]


def make_config(origin=None, listener=None, upstream=None, route=None, **others):
    """A config with one listener, upstream and route, `listener` and so on added to each; `others`
    are top-level keys, which replace. JSON is YAML."""
    config = {"version": 1, "workers": 2, "pin_workers": False,
              "listeners": [{"name": "web", "bind": "127.0.0.1:0", **(listener or {})}],
              "shutdown": {"lb_delay": 0, "drain_timeout": "10s"}}
    if origin:
        config["upstreams"] = [{"name": "origin", "endpoints": [origin.endpoint],
                                **(upstream or {})}]
        config["routes"] = [{"name": "all", "upstream": "origin", **(route or {})}]
    config.update(others)
    return config


class Gateway:
    def __init__(self, config, backend=None, arguments=(), launcher=(), **options):
        """`launcher`: a command that runs the one behind it; `options`: of subprocess.Popen()."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.socket = str(self.folder / "admin.sock")
        self.config_path = self.folder / "hangu.yaml"
        self.stderr_path = self.folder / "stderr"
        self.stdout_path = self.folder / "stdout"
        self.clients = []
        self.code = None
        self.write_config(config)
        with open(self.stderr_path, "wb") as errors, open(self.stdout_path, "wb") as out:
            self.process = subprocess.Popen(
                [*launcher, BINARY, "run", "--config", str(self.config_path), "--event-loop",
                 backend or BACKEND, *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=self.folder,
                **options)
        try:
            eventually(self.is_ready, "the gateway is ready")
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self):
        return self.process.pid

    @property
    def stderr(self):
        return self.stderr_path.read_text("utf-8", "replace")

    @property
    def stdout(self):
        return self.stdout_path.read_text("utf-8", "replace")

    def write_config(self, config):
        """Replaces the file: a dict is completed by the admin socket, text stands as it is.
        @FOLDER@ is the gateway's own folder."""
        if isinstance(config, dict):
            config = {"admin": {"socket": self.socket}, **config}
        text = config if isinstance(config, str) else json.dumps(config, indent=1)
        draft = self.config_path.with_suffix(".new")
        draft.write_text(text.replace("@FOLDER@", str(self.folder)), "utf-8")
        draft.rename(self.config_path)

    def is_ready(self):
        if (code := self.process.poll()) is not None:
            raise AssertionError(f"hangu ended with {code} before it was ready:\n{self.stderr}")
        try:
            return self.admin("GET", "/ready").status == 200
        except (OSError, Ended):  # not yet, or no more
            return False

    # The admin API.

    def admin(self, method, target, fields=(), body=None):
        with Client(self.socket) as client:
            return client.request(method, target, [*fields, ("Connection", "close")], body)

    def status(self):
        return self.admin("GET", "/status").json()

    def metrics(self):
        """{sample: value}, the sample with its labels as it is written."""
        text = self.admin("GET", "/metrics").body.decode()
        samples = (line.rpartition(" ") for line in text.splitlines() if line[:1] not in ("", "#"))
        return {name: float(value) for name, _, value in samples}

    def listener(self, name="web"):
        """The address to connect to: (host, port), or the path of a Unix socket."""
        for listener in self.status()["listeners"]:
            if listener["name"] == name:
                return socket_address(listener["address"])
        raise AssertionError(f"no listener {name}")

    def reload(self, config=None):
        """`hangu reload`, with a new config if one is given."""
        if config is not None:
            self.write_config(config)
        return run_hangu("reload", "--json", "--socket", self.socket)

    def connections(self):
        return sum(shard["connections"] for shard in self.status()["shards"])

    def active_requests(self):
        return sum(shard["requests_active"] for shard in self.status()["shards"])

    def access_log(self, count):
        """The records of `@FOLDER@/access.log` by their paths, once there are so many."""
        path = self.folder / "access.log"

        def records():
            text = path.read_text("utf-8") if path.exists() else ""
            lines = text.splitlines()
            return len(lines) >= count and text.endswith("\n") and lines

        lines = eventually(records, f"{count} records in the access log")
        return {record["path"]: record for record in map(json.loads, lines)}

    # Clients.

    def client(self, listener="web", **options):
        """A connection that is closed at the latest by close_clients()."""
        client = Client(self.listener(listener), **options)
        self.clients.append(client)
        return client

    def close_clients(self):
        while self.clients:
            self.clients.pop().close()

    # Memory.

    def memory(self, key="VmRSS"):
        """Bytes of a row of /proc/PID/status: VmRSS now, VmHWM at most."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(re.search(rf"^{key}:\s+(\d+) kB$", text, re.MULTILINE)[1]) * 1024

    # The end.

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, deadline=DEADLINE):
        """The exit code."""
        try:
            self.code = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"still there after {deadline} s:\n{self.stderr[-3000:]}") from None
        return self.code

    def stop(self, number=signal.SIGTERM):
        """Stops it, unless it has ended, and checks that it ended well."""
        self.close_clients()
        try:
            if self.process.poll() is None:
                self.send_signal(number)
            self.wait()
            self.check_end()
        finally:
            self.kill()

    def check_end(self):
        errors = self.stderr
        if found := CRASH.search(errors):
            raise AssertionError(f"{found[0]!r} on the gateway's stderr:\n{errors[-6000:]}")
        if self.code != 0:
            raise AssertionError(f"exit code {self.code}:\n{errors[-3000:]}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def socket_address(text):
    """The address of a listener as `status` writes it, for socket.connect()."""
    if text.startswith("unix:"):
        return text[len("unix:"):]
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(port)
