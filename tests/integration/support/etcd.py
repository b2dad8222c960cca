"""Etcd: a real etcd in processes of its own, of one member or several, on free ports that they keep
when they are killed and started again. Asked by its JSON API, as hangu asks it."""

import base64
import functools
import json
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from support.origin import bound
from support.wait import DEADLINE, POLL, eventually

ONE_OF_MANY = 2  # seconds that one of several members gets for an answer


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@functools.cache
def fast_options():
    """What is written need not outlive the machine: a busy disk is no fault of the gateway's."""
    option = "--unsafe-no-fsync"
    known = subprocess.run(["etcd", option, "--version"], capture_output=True, check=False,
                           stdin=subprocess.DEVNULL, timeout=DEADLINE)
    return [option] if known.returncode == 0 else []


def is_refusal(error):
    """It has answered, and will not answer otherwise; 5xx: not yet, such as without a leader."""
    return isinstance(error, urllib.error.HTTPError) and error.code < 500


class Member:
    def __init__(self, cluster, number):
        self.cluster = cluster
        self.name = f"m{number}"
        # Bound as long as this lives: nobody gets the ports while no etcd listens there.
        self.kept = [bound("127.0.0.1", 0) for _ in range(2)]
        self.client_port, self.peer_port = (each.getsockname()[1] for each in self.kept)
        self.process = None

    @property
    def scheme(self):
        return "https" if self.cluster.tls else "http"

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.client_port}"

    @property
    def peer_url(self):
        return f"http://127.0.0.1:{self.peer_port}"

    def start(self):
        peers = ",".join(f"{each.name}={each.peer_url}" for each in self.cluster.members)
        with open(self.cluster.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                ["etcd", "--name", self.name, "--data-dir", str(self.cluster.folder / self.name),
                 "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                 "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls",
                 self.peer_url, "--initial-cluster", peers, "--heartbeat-interval", "50",
                 "--election-timeout", "500", *fast_options(), *self.cluster.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        """As behind a partition: the kernel still accepts connections, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


class Etcd:
    def __init__(self, members=1, options=(), tls=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-etcd-"))
        self.options, self.tls = options, tls
        self.token = None
        self.members = []
        for number in range(members):
            self.members.append(Member(self, number))
        for member in self.members:
            member.start()
        eventually(self.answers, "etcd answers")

    @property
    def urls(self):
        return [member.url for member in self.members]

    def answers(self):
        try:
            return bool(self.ask_once("kv/range", {"key": encoded("x")}, ONE_OF_MANY))
        except OSError:
            return False

    def ask(self, what, message):
        """The answer of the first member that has one, before the deadline. A single member gets
        all of the time for it, lest what it did late is done twice; that one of several may hang
        is what they are for, and what they are asked may be done twice."""
        end = time.monotonic() + DEADLINE
        while True:
            left = max(1, end - time.monotonic())
            try:
                return self.ask_once(what, message,
                                     left if len(self.members) == 1 else ONE_OF_MANY)
            except OSError as error:
                if is_refusal(error) or time.monotonic() > end:
                    raise
            time.sleep(POLL)

    def ask_once(self, what, message, timeout):
        """The answer of the first member that has one now."""
        error = None
        for each in self.members:
            headers = {"Authorization": self.token} if self.token else {}
            request = urllib.request.Request(f"{each.url}/v3/{what}",
                                             json.dumps(message).encode(), headers)
            try:
                with urllib.request.urlopen(request, timeout=timeout, context=self.tls) as reply:
                    return json.loads(reply.read())
            except OSError as found:
                error = found
                if is_refusal(error):
                    break
        raise error

    def put(self, key, value):
        value = value if isinstance(value, str) else json.dumps(value)
        return self.ask("kv/put", {"key": encoded(key), "value": encoded(value)})

    def get(self, key):
        found = self.ask("kv/range", {"key": encoded(key)}).get("kvs")
        return base64.b64decode(found[0]["value"]).decode() if found else None

    def delete(self, key, prefix=False):
        end = key[:-1] + chr(ord(key[-1]) + 1)
        return self.ask("kv/deleterange", {"key": encoded(key),
                                           **({"range_end": encoded(end)} if prefix else {})})

    def metrics(self):
        """{sample: value} of the first member."""
        with urllib.request.urlopen(f"{self.members[0].url}/metrics", timeout=DEADLINE,
                                    context=self.tls) as reply:
            text = reply.read().decode()
        samples = (line.rpartition(" ") for line in text.splitlines() if line[:1] not in ("", "#"))
        return {name: float(value) for name, _, value in samples}

    def compact(self):
        revision = self.ask("kv/range", {"key": encoded("x")})["header"]["revision"]
        return self.ask("kv/compaction", {"revision": revision, "physical": True})

    def wipe(self):
        """Another, empty store at the same address."""
        for member in self.members:
            member.kill()
            shutil.rmtree(self.folder / member.name)
        for member in self.members:
            member.start()
        eventually(self.answers, "the new etcd answers")

    def login(self, user, password):
        """From now on asks as this user."""
        self.token = self.ask("auth/authenticate", {"name": user, "password": password})["token"]

    def stop(self):
        for member in self.members:
            if member.process.poll() is None:
                member.kill()
            for each in member.kept:
                each.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
