"""Upgrade: another process takes over everything, and nobody notices; or it does not, and nobody
notices either. HANGU_TEST_UPGRADES, HANGU_TEST_RELOADS and HANGU_TEST_WEBSOCKETS make the tests
under load long ones."""

import copy
import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support.audit import AuditLog, make_key
from support.certificates import Authority
from support.client import Client
from support.gateway import BINARY, make_config
from support.manager import Manager
from support.traffic import Sockets, Traffic
from support.upgrade_case import UpgradeCase
from support.wait import eventually
from support.websocket import WebSocket, echo_script

UPGRADES = int(os.environ.get("HANGU_TEST_UPGRADES", "2"))
WEBSOCKETS = int(os.environ.get("HANGU_TEST_WEBSOCKETS", "20"))
RELOADS = int(os.environ.get("HANGU_TEST_RELOADS", "5"))
REFUSED = 4


class Upgrade(UpgradeCase):
    def test_under_load(self):
        """No failed request, no tunnel cut."""
        self.origin.on("/ws", echo_script)
        gateway = self.begin(upgrade={"drain_timeout": "1h"})
        address = gateway.listener()
        sockets = Sockets()
        self.addCleanup(sockets.close)
        traffic = Traffic(address)
        self.addCleanup(traffic.stop)
        for number in range(UPGRADES):
            sockets.open(address, WEBSOCKETS // UPGRADES)
            traffic.wait_for_more(100)
            self.upgrade_to_another()
            traffic.wait_for_more(100)
        self.assertEqual(traffic.stop(), [])
        self.assertEqual(sockets.check(), 0)
        print(f"{UPGRADES} upgrades: {traffic.requests} requests on {traffic.connects} "
              f"connections, {traffic.closes_told} closed by an answer, 0 failed; "
              f"{len(sockets.sockets)} WebSockets, 0 cut")
        self.assertEqual(self.own.status()["generation"], UPGRADES + 1)

    def test_connections_that_come_at_once(self):
        """None waits for the next one to come: of several processes that wait at a socket the
        kernel wakes one, which may be the one that has just stopped waiting."""
        gateway = self.begin()
        address = gateway.listener()
        request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        stopping, slowest = threading.Event(), []

        def burst():
            begin = time.monotonic()
            sockets = [socket.create_connection(address, 20) for _ in range(20)]
            for each in sockets:
                each.sendall(request)
            for each in sockets:
                with each:
                    while each.recv(65536):
                        pass
            slowest.append(time.monotonic() - begin)

        def run():
            while not stopping.is_set():
                burst()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        for _ in range(6):
            count = len(slowest)
            eventually(lambda: len(slowest) >= count + 3, "more are answered")
            self.upgrade_to_another()
        stopping.set()
        thread.join(30)
        self.assertFalse(thread.is_alive())
        self.assertLess(max(slowest), 5)

    def test_reloads_under_load(self):
        self.origin.on("/ws", echo_script)
        gateway = self.begin()
        address = gateway.listener()
        sockets = Sockets()
        self.addCleanup(sockets.close)
        sockets.open(address, WEBSOCKETS)
        traffic = Traffic(address)
        self.addCleanup(traffic.stop)
        for number in range(RELOADS):
            changed = copy.deepcopy(self.settings)
            changed["routes"][0]["response_headers"] = {"set": {"x-generation": str(number)}}
            # Names and backlogs change, the sockets stay.
            changed["listeners"][0] = {"name": f"web-{number % 2}", "backlog": 1024 + number,
                                       "bind": f"{address[0]}:{address[1]}"}
            done = gateway.reload(changed)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            traffic.wait_for_more(30)
        self.assertEqual(traffic.stop(), [])
        self.assertEqual(sockets.check(), 0)
        print(f"{RELOADS} reloads: {traffic.requests} requests on {traffic.connects} connections, "
              f"0 failed; {len(sockets.sockets)} WebSockets, 0 cut")

    def test_idle_connection_passes_to_the_new_process(self):
        gateway = self.begin()
        clients = [gateway.client() for _ in range(40)]
        for client in clients:
            client.expect_alive()
        self.upgrade_to_another()
        self.wait_until_alone()
        self.assertGreaterEqual(gateway.connections(), len(clients))
        for client in clients:
            response = client.request("GET", "/")
            self.assertEqual((response.status, response.closes), (200, False))

    def test_connection_with_a_request_passes_after_it(self):
        go = self.held_back()
        gateway = self.begin()
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        self.upgrade_to_another()
        self.assertIn("predecessor_pid", self.own.status())
        go.set()
        response = client.read_response()
        self.assertEqual((response.body, response.closes), (b"held", False))
        self.wait_until_alone()
        client.expect_alive()

    def test_client_address_passes_with_the_connection(self):
        gateway = self.begin(listener={"proxy_protocol": {"from": ["127.0.0.1"]}})
        client = Client(gateway.listener())
        self.addCleanup(client.close)
        client.send(b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n")
        client.request("GET", "/before")
        self.upgrade_to_another()
        self.wait_until_alone()
        client.request("GET", "/after")
        seen = [request.header("x-forwarded-for") for request in self.origin.wait_for_requests(2)]
        self.assertEqual(seen, ["203.0.113.9"] * 2)

    def test_signal(self):
        gateway = self.begin()
        before = self.serving_pid()
        gateway.send_signal(signal.SIGUSR2)
        eventually(lambda: self.serving_pid() != before, "another process serves")
        self.own.client().expect_alive()

    def test_config_is_read_anew(self):
        gateway = self.begin()
        kept = gateway.client()
        kept.expect_alive()
        changed = copy.deepcopy(self.settings)
        changed["routes"][0]["response_headers"] = {"set": {"x-new": "yes"}}
        changed["listeners"].append({"name": "second", "bind": "127.0.0.1:0"})
        gateway.write_config(changed)
        self.upgrade_to_another()
        for client in (kept, gateway.client(), gateway.client("second")):
            # A connection passes between two requests; the one before it may still answer.
            eventually(lambda client=client: client.request("GET", "/").header("x-new") == "yes",
                       "the new process answers, by the new config")

    def test_more_and_fewer_workers(self):
        """No socket is lost, whoever accepts from it."""
        gateway = self.begin(workers=3)
        traffic = Traffic(gateway.listener(), new=4)
        self.addCleanup(traffic.stop)
        for workers in (1, 4, 2):
            gateway.write_config({**self.settings, "workers": workers})
            traffic.wait_for_more(50)
            self.upgrade_to_another()
            traffic.wait_for_more(200)
            self.assertEqual(len(self.own.status()["shards"]), workers)
        self.assertEqual(traffic.stop(), [])

    def test_unix_socket(self):
        folder = tempfile.mkdtemp(prefix="hangu-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = f"{folder}/web.sock"
        gateway = self.begin(listener={"bind": f"unix:{path}"})
        traffic = Traffic(path)
        self.addCleanup(traffic.stop)
        for _ in range(2):
            traffic.wait_for_more(50)
            self.upgrade_to_another()
        traffic.wait_for_more(50)
        self.assertEqual(traffic.stop(), [])

    def test_replaced_binary(self):
        """The path counts, not the file that was there when the process began."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.addCleanup(shutil.rmtree, folder)
        self.begin()
        for name in ("one", "two"):
            shutil.copy(BINARY, folder / name)
        self.upgrade("--binary", folder / "one")
        (folder / "two").rename(folder / "one")
        inode = (folder / "one").stat().st_ino
        report = self.upgrade()
        self.assertEqual(os.stat(f"/proc/{report['pid']}/exe").st_ino, inode)

    def test_link_that_was_turned(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.addCleanup(shutil.rmtree, folder)
        for name in ("one", "two"):
            shutil.copy(BINARY, folder / name)
        link = folder / "hangu"
        link.symlink_to("one")
        self.begin(launcher=("/bin/sh", "-c", f'exec {link} "$@"'))
        link.unlink()
        link.symlink_to("two")
        report = self.upgrade()
        self.assertEqual(os.readlink(f"/proc/{report['pid']}/exe"), str(folder / "two"))

    def test_generation_and_admin_socket_go_on(self):
        gateway = self.begin()
        self.assertEqual(gateway.reload(self.settings).returncode, 0)
        admin = Client(gateway.socket)
        self.addCleanup(admin.close)
        self.assertEqual(admin.request("GET", "/status").json()["generation"], 2)
        self.upgrade_to_another()
        self.assertEqual(gateway.status()["generation"], 3)
        self.assertEqual(gateway.reload(self.settings).returncode, 0)
        self.assertEqual(gateway.status()["generation"], 4)

    def test_access_log_of_both(self):
        go = self.held_back()
        gateway = self.begin(access_log={"path": "@FOLDER@/access.log"})
        client = gateway.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        self.upgrade_to_another()
        self.own.client().request("GET", "/new")
        gateway.access_log(1)
        (gateway.folder / "access.log").rename(gateway.folder / "access.log.1")
        gateway.send_signal(signal.SIGUSR1)
        eventually((gateway.folder / "access.log").exists, "the file is opened anew")
        eventually(lambda: gateway.stderr.count("logs_reopened") >= 2, "both have done so")
        go.set()
        self.assertEqual(client.read_response().body, b"held")
        self.assertEqual(set(gateway.access_log(1)), {"/held"})

    def test_quotas_go_on(self):
        folder = tempfile.mkdtemp(prefix="hangu-test-")
        self.addCleanup(shutil.rmtree, folder)
        self.begin(state_dir=folder,
                   rate_limits=[{"name": "daily", "key": ["header:x-user"],
                                 "quota": {"limit": 3, "per": "day"}}],
                   route={"rate_limits": ["daily"]})
        ask = lambda: self.own.client().request("GET", "/", {"x-user": "u"}).status
        self.assertEqual([ask(), ask()], [200, 200])
        self.upgrade_to_another()
        self.wait_until_alone()  # until then it may be the old process that takes a connection
        self.assertEqual([ask(), ask()], [200, 429])


class FailedUpgrade(UpgradeCase):
    def setUp(self):
        super().setUp()
        self.begin()
        self.before = self.own.status()
        self.kept = self.own.client()
        self.kept.expect_alive()
        self.traffic = Traffic(self.own.listener())
        self.addCleanup(self.traffic.stop)

    def script(self, text):
        folder = tempfile.mkdtemp(prefix="hangu-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = pathlib.Path(folder, "hangu")
        path.write_text("#!/bin/sh\n" + text + "\n", "utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def assert_refused(self, *arguments):
        """The reason."""
        report = self.upgrade(*arguments, expect=REFUSED)
        self.traffic.wait_for_more(50)
        self.kept.expect_alive()
        status = self.own.status()
        for key in ("pid", "generation", "ready", "state"):
            self.assertEqual(status[key], self.before[key])
        self.assertEqual(status["last_upgrade"]["error"], report["detail"])
        self.assertEqual(self.traffic.failures, [])
        return report["detail"]

    def test_invalid_config(self):
        self.own.write_config('{"version": 1, "nonsense": 1}')
        self.assertIn("hangu.yaml:1:1: E0121", self.assert_refused())
        self.own.write_config(self.settings)
        self.upgrade_to_another()

    def test_address_in_use(self):
        host, port = self.origin.address
        taken = copy.deepcopy(self.settings)
        taken["listeners"].append({"name": "taken", "bind": f"{host}:{port}"})
        self.own.write_config(taken)
        self.assertIn("cannot bind", self.assert_refused())

    def test_binary_that_is_not_there(self):
        self.assertIn("No such file", self.assert_refused("--binary", "/nowhere/hangu"))

    def test_binary_that_ends_at_once(self):
        self.assertIn("exit code 7", self.assert_refused("--binary", self.script("exit 7")))

    def test_binary_that_crashes(self):
        self.assertIn("signal 11", self.assert_refused("--binary", self.script("kill -SEGV $$")))

    def test_binary_that_hangs(self):
        self.own.reload({**self.settings, "upgrade": {"ready_timeout": "1s"}})
        self.before = self.own.status()
        reason = self.assert_refused("--binary", self.script("exec sleep 60"))
        self.assertIn("was not ready within 1 s", reason)

    def test_binary_that_lets_go_of_the_socket(self):
        reason = self.assert_refused("--binary", self.script("exec 3>&-; exec sleep 60"))
        self.assertIn("closed its end", reason)

    def test_binary_of_another_protocol(self):
        text = f"exec {sys.executable} -c 'import os; os.write(3, b\"hello\"); os.read(3, 1)'"
        self.assert_refused("--binary", self.script(text))

    def test_crash_when_it_takes_over(self):
        """The files are back with the old process."""
        folder = tempfile.mkdtemp(prefix="hangu-test-")
        self.addCleanup(shutil.rmtree, folder)
        self.own.write_config({**self.settings, "audit": {"path": f"{folder}/none/audit.log"}})
        self.assertIn("audit log", self.assert_refused())


class Lineage(UpgradeCase):
    """The process that was started stays, for whoever started it."""

    def test_term_ends_all(self):
        self.begin()
        for _ in range(2):
            self.upgrade_to_another()
        self.wait_until_alone()
        first, last = self.own.pid, self.serving_pid()
        self.assertNotEqual(first, last)
        self.own.send_signal(signal.SIGTERM)
        self.assertEqual(self.own.wait(), 0)
        self.assertFalse(os.path.exists(f"/proc/{last}"))
        self.assertFalse(os.path.exists(self.own.socket))

    def test_signals_pass_to_the_last(self):
        self.begin()
        self.upgrade_to_another()
        self.wait_until_alone()
        self.own.send_signal(signal.SIGHUP)
        eventually(lambda: self.own.status()["generation"] == 3, "it has reloaded")

    def test_exit_code_of_the_last(self):
        self.begin()
        self.upgrade_to_another()
        os.kill(self.serving_pid(), signal.SIGKILL)
        self.assertEqual(self.own.wait(), 128 + signal.SIGKILL)

    def test_crash_while_the_first_one_drains(self):
        self.held_back()
        self.begin()
        client = self.own.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        self.upgrade_to_another()
        os.kill(self.serving_pid(), signal.SIGKILL)
        self.assertEqual(self.own.wait(), 128 + signal.SIGKILL)

    def test_stop_while_the_first_one_drains(self):
        self.origin.on("/ws", echo_script)
        self.begin(shutdown={"lb_delay": 0, "drain_timeout": "1s"},
                   upgrade={"drain_timeout": "1h"})
        websocket = WebSocket(self.own.client())
        websocket.open()
        self.upgrade_to_another()
        self.own.send_signal(signal.SIGTERM)
        self.assertEqual(websocket.echo(b"still"), b"still")
        self.assertEqual(self.own.wait(), 0)


UNSHARE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")


def may_unshare():
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@unittest.skipUnless(may_unshare(), "no process namespaces here")
class Container(UpgradeCase):
    """hangu as process 1, which a container ends with."""

    def child_of_unshare(self):
        return int(pathlib.Path(f"/proc/{self.own.pid}/task/{self.own.pid}/children")
                   .read_text("ascii").split()[0])

    def test_upgrades_as_process_1(self):
        self.begin(launcher=UNSHARE)
        self.assertEqual(self.serving_pid(), 1)
        traffic = Traffic(self.own.listener())
        self.addCleanup(traffic.stop)
        for _ in range(2):
            traffic.wait_for_more(50)
            self.upgrade_to_another()
        traffic.wait_for_more(50)
        self.assertEqual(traffic.stop(), [])
        self.wait_until_alone()
        self.assertNotEqual(self.serving_pid(), 1)
        os.kill(self.child_of_unshare(), signal.SIGTERM)
        self.assertEqual(self.own.wait(), 0)


class Tls(UpgradeCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.pair = cls.ca.issue(["DNS:test.example"])
        super().setUpClass()

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca.cert)
        return context

    def begin_tls(self):
        return self.begin(listener={"tls": {"certificates": [self.pair.files]}})

    def test_idle_connection_waits_for_its_next_request(self):
        gateway = self.begin_tls()
        client = gateway.client(tls=self.context(), server_name="test.example")
        client.expect_alive()
        self.upgrade_to_another()
        time.sleep(1.5)  # longer than an idle connection is kept when a process just ends
        response = client.request("GET", "/")
        self.assertEqual((response.status, response.closes), (200, True))
        client.expect_end()
        self.wait_until_alone()

    def test_quotas_know_what_the_old_process_still_counts(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-"))
        self.addCleanup(shutil.rmtree, folder)
        gateway = self.begin(
            listener={"tls": {"certificates": [self.pair.files]}}, state_dir=str(folder),
            rate_limits=[{"name": "daily", "key": ["header:x-user"],
                          "quota": {"limit": 3, "per": "day"}}],
            route={"rate_limits": ["daily"]})
        connect = lambda: gateway.client(tls=self.context(), server_name="test.example")
        ask = lambda client: client.request("GET", "/", {"x-user": "u"}).status
        clients = [connect() for _ in range(3)]
        for number, client in enumerate(clients):
            self.assertEqual(client.request("GET", "/", {"x-user": str(number)}).status, 200)
        self.assertEqual(ask(clients[0]), 200)
        self.upgrade_to_another()
        self.assertEqual([ask(clients[1]), ask(clients[2])], [200, 200])
        clients[0].close()
        self.wait_until_alone()
        eventually(lambda: not list(folder.glob("*.late-quotas")), "late counts are taken")
        self.assertEqual(ask(connect()), 429)

    def test_sessions_resume(self):
        gateway = self.begin_tls()
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        first = gateway.client(tls=context, server_name="test.example")
        first.expect_alive()
        session = first.wire.socket.session
        self.upgrade_to_another()
        again = gateway.client(tls=context, server_name="test.example", session=session)
        again.expect_alive()
        self.assertTrue(again.wire.socket.session_reused)


class Audit(UpgradeCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="hangu-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        make_key(self.folder)
        self.log = AuditLog(self.folder)
        self.audit = {"path": str(self.log.path), "requests": "all",
                      "signing_key": str(self.log.key)}

    def verified(self):
        code, result = self.log.verify(key=True, shipped=True)
        self.assertEqual(code, 0, result)
        return result

    def test_one_chain(self):
        """Records of the process that drains are in the log of the one that serves."""
        go = self.held_back()
        self.begin(audit=self.audit)
        client = self.own.client()
        client.request("GET", "/before")
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(2)
        self.upgrade_to_another()
        self.own.client().request("GET", "/after")
        go.set()
        client.read_response()
        self.wait_until_alone()
        client.request("GET", "/later")
        self.own.stop()
        self.assertEqual({record["path"] for record in self.log.records("request")},
                         {"/before", "/held", "/after", "/later"})
        events = [(each["event"], each.get("reason")) for each in self.log.records()]
        self.assertIn(("process.upgrade", "handover"), events)
        self.assertIn(("process.start", "upgrade"), events)
        self.assertIn(("process.upgrade", "drained"), events)
        result = self.verified()
        self.assertEqual((result["runs"], result["unclean_ends"], result["lost"]), (2, 0, 0))
        self.assertEqual(result["notes"], [])

    def test_under_load(self):
        """Not one request is missing."""
        self.begin(audit=self.audit)
        traffic = Traffic(self.own.listener())
        self.addCleanup(traffic.stop)
        for _ in range(2):
            traffic.wait_for_more(100)
            self.upgrade_to_another()
        traffic.wait_for_more(100)
        self.assertEqual(traffic.stop(), [])
        self.wait_until_alone()
        self.own.stop()
        self.assertEqual(len(self.log.records("request")), traffic.requests)
        result = self.verified()
        self.assertEqual((result["runs"], result["unclean_ends"], result["lost"]), (3, 0, 0))

    def test_failed_upgrade(self):
        self.begin(audit=self.audit)
        self.own.client().request("GET", "/before")
        self.own.write_config('{"version": 1, "nonsense": 1}')
        self.upgrade(expect=REFUSED)
        self.own.client().request("GET", "/after")
        self.own.write_config(self.settings)
        self.own.stop()
        failed = [each for each in self.log.records("process.upgrade")]
        self.assertEqual([each["result"] for each in failed], ["failed"])
        self.assertIn("E0121", failed[0]["reason"])
        self.assertEqual({each["path"] for each in self.log.records("request")},
                         {"/before", "/after"})
        self.verified()

    def test_failure_after_the_log_was_left(self):
        """It goes on where it is."""
        self.begin(audit=self.audit)
        self.own.client().request("GET", "/before")
        broken = {**self.settings, "audit": {**self.audit, "spill_path": "/nowhere/at/all"},
                  "access_log": "off"}
        broken["audit"]["checkpoint_path"] = "/nowhere/either"
        broken["audit"]["signing_key"] = f"{self.folder}/nokey"
        self.own.write_config(broken)
        self.upgrade(expect=REFUSED)
        self.own.client().request("GET", "/after")
        self.own.write_config(self.settings)
        self.upgrade_to_another()
        self.own.stop()
        self.assertEqual({each["path"] for each in self.log.records("request")},
                         {"/before", "/after"})
        self.verified()

    def test_successor_crashes(self):
        """The one that drains goes on with the log."""
        go = self.held_back()
        self.begin(audit=self.audit)
        client = self.own.client()
        client.send_request("GET", "/held")
        self.origin.wait_for_requests(1)
        self.upgrade_to_another()
        self.own.client().request("GET", "/after")
        eventually(lambda: len(self.log.records("request")) == 1, "the record is written")
        os.kill(self.serving_pid(), signal.SIGKILL)
        self.own.wait()
        self.verified()


class ServiceManager(UpgradeCase):
    def setUp(self):
        super().setUp()
        self.manager = Manager()
        self.addCleanup(self.manager.stop)

    def begin_managed(self, config=None, **options):
        self.settings = config or make_config(self.origin, upgrade={"drain_timeout": "60s"})
        self.own = self.manager.start(self.settings, **options)
        self.addCleanup(self.kill_successors)
        self.addCleanup(self.own.kill)
        return self.own

    def crash(self):
        self.own.send_signal(signal.SIGKILL)
        self.own.wait()

    def test_socket_activation(self):
        """A connection from before the start is served; one socket does for all workers."""
        for reuse in (False, True):
            with self.subTest(reuse_port=reuse), socket.socket() as listening:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(reuse))
                listening.bind(("127.0.0.1", 0))
                listening.listen(16)
                host, port = listening.getsockname()
                early = Client((host, port))
                self.addCleanup(early.close)
                early.send_request("GET", "/")
                self.begin_managed(make_config(self.origin, listener={"bind": f"{host}:{port}"}),
                                   passed=[("hangu.socket", listening.fileno())])
                self.assertEqual(early.read_response().status, 200)
                for _ in range(20):
                    self.own.client().expect_alive()
                self.own.stop()

    def test_crash_loses_no_waiting_connection(self):
        self.begin_managed()
        address = self.own.listener()
        eventually(lambda: len(self.manager.store) == 2, "a socket for each worker is kept")
        self.crash()
        waiting = [Client(address) for _ in range(20)]
        for client in waiting:
            self.addCleanup(client.close)
            client.send_request("GET", "/")
        self.begin_managed(self.settings)
        self.assertEqual(self.own.listener(), address)
        for client in waiting:
            self.assertEqual(client.read_response().status, 200)
        self.own.stop()

    def test_sockets_of_a_removed_listener_are_not_kept(self):
        more = make_config(self.origin)
        more["listeners"].append({"name": "second", "bind": "127.0.0.1:0"})
        self.begin_managed(more)
        eventually(lambda: len(self.manager.store) == 4, "all sockets are kept")
        address = self.own.listener("second")
        less = {**more, "listeners": more["listeners"][:1]}
        self.assertEqual(self.own.reload(less).returncode, 0)
        self.manager.wait_for("FDSTOREREMOVE")
        self.assertEqual([name for name, _ in self.manager.store], ["web", "web"])
        with self.assertRaises(ConnectionRefusedError):
            Client(address).close()
        self.own.stop()

    def test_main_process(self):
        """The manager hears of the new one from the old one; nobody stays behind."""
        self.begin_managed()
        self.manager.wait_for("READY", pid=self.own.pid)
        client = self.own.client()
        client.expect_alive()
        report = self.upgrade_to_another()
        self.manager.wait_for("MAINPID", pid=self.own.pid, value=str(report["pid"]))
        self.manager.wait_for("READY", pid=report["pid"])
        order = [(pid, key) for pid, fields in self.manager.messages
                 for key in ("MAINPID", "READY") if key in fields]
        self.assertEqual(order[-2:], [(self.own.pid, "MAINPID"), (report["pid"], "READY")])
        self.assertEqual(self.own.wait(), 0)
        client.expect_alive()
        self.assertEqual(self.own.status()["pid"], report["pid"])
        os.kill(report["pid"], signal.SIGTERM)
        self.manager.wait_for("STOPPING", pid=report["pid"])
        eventually(lambda: not os.path.exists(self.own.socket), "it has ended")


if __name__ == "__main__":
    unittest.main()
