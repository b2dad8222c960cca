"""The process is told to end while an upgrade is under way."""

import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from support.gateway import BINARY
from support.upgrade_case import UpgradeCase
from support.wait import eventually

# Speaks as a new process does, but takes its time to say that it has taken over, and says so to
# nobody else; at SIGTERM it ends with a code of its own.
SUCCESSOR = """
import array, os, pathlib, signal, socket, sys, time
folder = pathlib.Path(sys.argv[1])
channel = socket.socket(fileno=3)
def note(name):
    (folder / name).write_text(str(os.getpid()))
def end(number, frame):
    note("ended")
    os._exit(43)
signal.signal(signal.SIGTERM, end)
def say(kind, facts=""):
    channel.send(f"hangu-upgrade 1\\n{kind}\\n{facts}\\n".encode())
def wait_for(kind):
    while True:
        data = channel.recvmsg(1 << 20, 1 << 12)[0]
        assert data, "the end"
        if data.split(b"\\n")[1] == kind:
            return
note("begun")
say("hello", "version=1\\n")
wait_for(b"bequest")
while not (folder / "be-ready").exists():
    time.sleep(0.01)
say("ready", "audit=\\n")
wait_for(b"go")
note("gone")
while not (folder / "be-done").exists():
    time.sleep(0.01)
say("done")
while True:
    time.sleep(1)
"""


class End(UpgradeCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "successor.py").write_text(SUCCESSOR, "utf-8")
        binary = self.folder / "hangu"
        binary.write_text(f"#!/bin/sh\nexec {sys.executable} {self.folder}/successor.py "
                          f"{self.folder}\n", "utf-8")
        binary.chmod(0o700)
        self.binary = binary

    def begin_upgrade(self, **config):
        self.begin(shutdown={"lb_delay": 0, "drain_timeout": "20s"}, **config)
        command = subprocess.Popen(
            [BINARY, "upgrade", "--json", "--socket", self.own.socket, "--binary", self.binary],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(command.communicate)
        self.wait_for("begun")

    def wait_for(self, name):
        path = self.folder / name
        eventually(lambda: path.exists() and path.read_text("utf-8"), f"the successor has {name}")
        return int(path.read_text("utf-8"))

    def go_on(self, name):
        (self.folder / name).touch()

    def assert_over(self, pid):
        def over():
            try:
                state = pathlib.Path(f"/proc/{pid}/stat").read_text("utf-8")
            except OSError:
                return True
            return state.rsplit(")", 1)[1].split()[0] == "Z"
        eventually(over, "the successor has ended")

    def test_before_the_new_process_is_ready(self):
        """Nobody takes over from one that goes."""
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with self.subTest(number=number):
                (self.folder / "begun").unlink(missing_ok=True)
                self.begin_upgrade()
                self.own.send_signal(number)
                self.assertEqual(self.own.wait(), 0)
                self.assert_over(self.wait_for("begun"))
                self.own.kill()

    def test_while_the_new_process_takes_over(self):
        """Both end; what is under way is not cut off. It has not said yet that it is the heir."""
        go = self.held_back()
        self.begin_upgrade()
        client = self.own.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        self.go_on("be-ready")
        pid = self.wait_for("gone")
        self.own.send_signal(signal.SIGTERM)
        eventually(lambda: "signal_deferred" in self.own.stderr, "it waits")
        self.assertFalse((self.folder / "ended").exists())
        self.go_on("be-done")
        self.assertEqual(self.wait_for("ended"), pid)
        go.set()
        self.assertEqual(client.read_response().body, b"held")
        client.close()
        self.assertEqual(self.own.wait(), 43)

    def test_the_new_process_fails_to_take_over(self):
        self.begin_upgrade()
        self.go_on("be-ready")
        pid = self.wait_for("gone")
        self.own.send_signal(signal.SIGTERM)
        eventually(lambda: "signal_deferred" in self.own.stderr, "it waits")
        subprocess.run(["kill", "-KILL", str(pid)], check=True)
        self.assertEqual(self.own.wait(), 0)
