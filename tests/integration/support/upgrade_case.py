"""A gateway that is upgraded, with its successors."""

import json
import os
import pathlib
import signal

from support.case import GatewayCase
from support.gateway import Gateway, make_config, run_hangu
from support.wait import eventually


class UpgradeCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.successors = []

    def begin(self, arguments=(), launcher=(), **config):
        config.setdefault("upgrade", {"drain_timeout": "60s"})
        self.settings = make_config(self.origin, **config)
        self.own = Gateway(self.settings, arguments=arguments, launcher=launcher)
        self.addCleanup(self.end)
        return self.own

    def end(self):
        try:
            if self.own.code is None:
                self.own.stop()
        finally:
            self.own.kill()
            self.kill_successors()

    def kill_successors(self):
        """What a test that failed has left: nobody waits for those."""
        for pid in self.successors:
            line = pathlib.Path(f"/proc/{pid}/cmdline")
            if line.exists() and str(self.own.config_path).encode() in line.read_bytes():
                os.kill(pid, signal.SIGKILL)

    def upgrade(self, *arguments, expect=0):
        done = run_hangu("upgrade", "--json", "--socket", self.own.socket, *arguments)
        self.assertEqual(done.returncode, expect,
                         done.stdout + done.stderr + self.own.stderr[-3000:])
        return json.loads(done.stdout)

    def upgrade_to_another(self):
        before = self.own.status()["pid"]
        report = self.upgrade()
        self.assertNotEqual(report["pid"], before)
        self.successors.append(report["pid"])
        status = self.own.status()
        self.assertEqual((status["pid"], status["ready"]), (report["pid"], True))
        return report

    def wait_until_alone(self):
        """The process that was replaced has nothing left to do."""
        eventually(lambda: "predecessor_pid" not in self.own.status(), "the old process is gone")

    def serving_pid(self):
        return self.own.status()["pid"]
