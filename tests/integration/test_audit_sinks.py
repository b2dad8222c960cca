"""The audit log under stress and elsewhere: disks that take nothing, the three policies, rotation,
syslog, and `hangu audit grep` and `export`."""

import csv
import io
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support.audit import AuditLog, make_key
from support.case import GatewayCase
from support.certificates import Authority
from support.full_disk import FullDisk, why_no_full_disk
from support.gateway import BINARY, Gateway, make_config, run_hangu
from support.syslog import SyslogServer
from support.wait import eventually

class AuditCase(GatewayCase):
    """Each test has a gateway and a log of its own."""

    @classmethod
    def setUpClass(cls):
        cls.origin = cls.make_origin()
        cls.addClassCleanup(cls.origin.stop)

    def setUp(self):
        self.origin.clear()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-audit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = AuditLog(self.folder)
        make_key(self.folder)

    def run_gateway(self, routes=(), **audit):
        config = make_config(self.origin, workers=1)
        config["routes"] += routes
        config["audit"] = {"path": str(self.log.path), "requests": "all",
                           "signing_key": str(self.log.key), **audit}
        gateway = Gateway(config)
        self.addCleanup(lambda: gateway.folder.exists() and gateway.stop())
        return gateway

    def full_disk(self, gateway, more=0):
        """No file of the gateway grows beyond what the log has now, and `more`."""
        disk = FullDisk(gateway.pid)
        disk.fill(self.log.path.stat().st_size + more)
        return disk

    def requests_written(self):
        return len(self.log.records("request"))

    def assert_verified(self):
        code, result = self.log.verify(key=True, shipped=True)
        self.assertEqual(code, 0, result)
        return result


class Backpressure(AuditCase):
    @classmethod
    def setUpClass(cls):
        reason = why_no_full_disk()
        if reason:
            raise unittest.SkipTest(reason)
        super().setUpClass()

    def test_full_disk_loses_nothing_that_fits_into_memory(self):
        gateway = self.run_gateway()
        client = gateway.client()
        client.request("GET", "/before")
        eventually(self.requests_written, "a record is written")
        disk = self.full_disk(gateway, more=700)  # within a line
        for number in range(50):
            self.assertEqual(client.request("GET", f"/{number}").status, 200)
        eventually(lambda: gateway.status()["audit"]["failing"], "the disk is full")
        self.assertEqual(gateway.metrics()["hangu_audit_failing"], 1)
        disk.empty()
        eventually(lambda: self.requests_written() == 51, "all are written")
        gateway.stop()
        self.assertEqual(self.assert_verified()["lost"], 0)

    def test_fail_closed(self):
        gateway = self.run_gateway(
            on_backpressure="fail_closed",
            routes=[{"name": "free", "match": {"path": {"prefix": "/free"}}, "upstream": "origin",
                     "audit": "off"}])
        client = gateway.client()
        self.assertEqual(client.request("GET", "/before").status, 200)
        eventually(self.requests_written, "a record is written")
        disk = self.full_disk(gateway)
        client.request("GET", "/the-last")
        eventually(lambda: gateway.status()["audit"]["failing"], "the disk is full")
        seen = len(self.origin.requests)
        self.assert_problem(client.request("GET", "/refused"), 503, "audit.unavailable")
        self.assertEqual(len(self.origin.requests), seen)  # it was not forwarded
        self.assertEqual(client.request("GET", "/free").status, 200)  # it needs no record
        disk.empty()
        eventually(lambda: not gateway.status()["audit"]["failing"], "there is room again")
        self.assertEqual(client.request("GET", "/again").status, 200)
        gateway.stop()
        self.assert_verified()
        refused = [record for record in self.log.records("request.fail")
                   if record.get("path") == "/refused"]
        self.assertEqual([(each["code"], each["filter"]) for each in refused],
                         [("audit.unavailable", "audit")])

    def test_lost_records_are_counted_in_the_log(self):
        gateway = self.run_gateway(on_backpressure="drop_with_marker", queue="64KiB")
        client = gateway.client()
        query = "?x=" + "y" * 700
        client.request("GET", "/before")
        eventually(self.requests_written, "a record is written")
        disk = self.full_disk(gateway)
        # Four times the queue waits in memory as lines; then records stay where they are.
        sent = 0
        while not gateway.status()["audit"]["dropped"]:
            client.send(b"".join(b"GET /%d%s HTTP/1.1\r\nHost: a\r\n\r\n" %
                                 (number, query.encode()) for number in range(500)))
            for _ in range(500):
                client.read_response("GET")
            sent += 500
        dropped = gateway.status()["audit"]["dropped"]
        disk.empty()
        eventually(lambda: self.log.path.stat().st_size and self.log.records("log.lost"),
                   "the log says so")
        gateway.stop()
        self.assertEqual(self.assert_verified()["lost"], dropped)
        self.assertEqual(self.requests_written(), sent + 1 - dropped)


class Files(AuditCase):
    def test_rotation_and_a_chain_over_all_files(self):
        gateway = self.run_gateway(rotate_size="64KiB")
        client = gateway.client()
        for number in range(400):
            client.request("GET", f"/{number}?x={'y' * 300}")
        eventually(lambda: len(self.log.archived()) >= 3 and
                   all(path.suffix == ".zst" for path in self.log.archived()), "files are packed")
        gateway.stop()
        result = self.assert_verified()
        self.assertGreaterEqual(result["files"], 4)
        opened = self.log.records()[0]
        self.assertEqual((opened["event"], opened["reason"]), ("log.open", "size"))
        self.log.archived()[1].unlink()
        found = self.log.first_finding(key=True)
        self.assertEqual(found[0], "missing")

    def test_damaged_pack_is_named(self):
        gateway = self.run_gateway(rotate_size="64KiB")
        client = gateway.client()
        for number in range(200):
            client.request("GET", f"/{number}?x={'y' * 300}")
        eventually(lambda: self.log.archived() and self.log.archived()[0].suffix == ".zst",
                   "a file is packed")
        gateway.stop()
        packed = self.log.archived()[0]
        packed.write_bytes(packed.read_bytes()[:-100])
        found = self.log.first_finding(key=True)
        self.assertEqual(found[1], packed.name)

    def test_retention_below_the_floor_is_no_config(self):
        config = make_config(self.origin)
        config["compliance"] = "mlps3"
        config["audit"] = {"path": str(self.log.path), "signing_key": str(self.log.key),
                           "retention": "182d"}
        path = self.folder / "hangu.yaml"
        path.write_text(json.dumps(config, indent=1), "utf-8")
        done = run_hangu("check", path)
        self.assertEqual(done.returncode, 3)
        self.assertIn("less than the 183d", done.stderr + done.stdout)
        config["audit"]["retention"] = "183d"
        path.write_text(json.dumps(config, indent=1), "utf-8")
        self.assertEqual(run_hangu("check", path).returncode, 0)


class Reading(AuditCase):
    def setUp(self):
        super().setUp()
        self.gateway = self.run_gateway()
        client = self.gateway.client()
        for path in ("/a", "/b?x=%22quoted%22", "/c"):
            client.request("GET", path)
        client.request("POST", "/a")
        eventually(lambda: self.requests_written() == 4, "records are written")

    def grep(self, *arguments):
        done = run_hangu("audit", "grep", "--socket", self.gateway.socket, "--log", self.log.path,
                         *arguments)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def test_grep(self):
        paths = lambda *arguments: [record.get("path") for record in self.grep(*arguments)[1]]
        self.assertEqual(paths("-w", "event=request", "-w", "path=/a"), ["/a", "/a"])
        self.assertEqual(paths("-w", "method=POST"), ["/a"])
        self.assertEqual(paths("-e", '"path":"/[bc]"'), ["/b", "/c"])
        self.assertEqual(paths("-w", "path=/*", "--since", "1h"), ["/a", "/b", "/c", "/a"])
        self.assertEqual(paths('"path":"/c"'), ["/c"])
        self.assertEqual(self.grep("-w", "event=request", "--until", "2026-01-01"), (1, []))
        self.assertEqual(self.grep("--since", "yesterday")[0], 2)

    def test_a_gateway_that_is_named_must_hear_of_it(self):
        for verb in ("grep", "verify"):
            done = run_hangu("audit", verb, "--socket", "/nowhere/admin.sock", "--log",
                             self.log.path)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("cannot reach hangu at unix:/nowhere/admin.sock", done.stderr)
        self.assertEqual(self.grep("-w", "nothing")[0], 2)

    def test_reading_is_recorded_with_what_was_asked(self):
        self.grep("-w", "method=POST", "--since", "2h")
        read = eventually(lambda: self.log.records("audit.read"), "reading is recorded")[-1]
        self.assertEqual(read["detail"], "since=2h field=method=POST")
        self.assertRegex(read["actor"], r"^uid=\d+ pid=\d+$")

    def test_follow(self):
        process = subprocess.Popen(
            [BINARY, "audit", "grep", "-f", "--socket", self.gateway.socket, "--log",
             str(self.log.path), "-w", "path=/new*"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.gateway.client().request("GET", "/new/1")
        self.assertEqual(json.loads(process.stdout.readline())["path"], "/new/1")
        self.gateway.client().request("GET", "/new/2")
        self.assertEqual(json.loads(process.stdout.readline())["path"], "/new/2")

    def test_export(self):
        def export(*arguments):
            return run_hangu("audit", "export", "--socket", self.gateway.socket, "--log",
                             self.log.path, "-w", "event=request", *arguments)
        records = json.loads(export().stdout)
        self.assertEqual([record["path"] for record in records], ["/a", "/b", "/c", "/a"])
        rows = list(csv.DictReader(io.StringIO(export("--format", "csv").stdout)))
        self.assertEqual([(row["path"], row["query"], row["status"]) for row in rows],
                         [(record["path"], record.get("query", ""), str(record["status"]))
                          for record in records])
        out = self.folder / "export.json"
        self.assertEqual(export("--out", out).returncode, 0)
        self.assertEqual(json.loads(out.read_text("utf-8")), records)
        self.assertEqual(export("--out", out).returncode, 1)  # never over a file
        self.assertTrue(eventually(lambda: self.log.records("audit.export"), "it is recorded"))


class Syslog(AuditCase):
    def server(self, **options):
        server = SyslogServer(**options)
        self.addCleanup(server.stop)
        return server

    def test_messages_over_tcp(self):
        server = self.server()
        gateway = self.run_gateway(syslog={"address": server.address, "protocol": "tcp"})
        client = gateway.client()
        for number in range(20):
            client.request("GET", f"/{number}")
        gateway.stop()
        lines = [json.loads(line) for line in self.log.lines()]
        eventually(lambda: len(server.messages) >= len(lines), "all have arrived")
        self.assertEqual(server.records(), lines)
        for priority, time, host, app, pid, event, record in server.parsed():
            self.assertEqual((time, host, app, pid, event),
                             (record["ts"], record["node"], "hangu", str(gateway.pid),
                              record["event"]))
            self.assertEqual(priority, 13 * 8 + 6)

    def test_server_that_goes_and_comes_back(self):
        server = self.server()
        gateway = self.run_gateway(syslog={"address": server.address, "protocol": "tcp"})
        client = gateway.client()
        client.request("GET", "/1")
        eventually(lambda: any(record.get("path") == "/1" for record in server.records()),
                   "the server has it")
        port = server.port
        server.stop()
        eventually(lambda: not gateway.status()["audit"]["syslog"]["connected"], "it is noticed")
        for number in range(10):
            client.request("GET", f"/away/{number}")
        again = self.server(port=port)
        eventually(lambda: {record.get("path") for record in again.records()} >=
                   {f"/away/{number}" for number in range(10)}, "it gets what it missed")

    def test_what_finds_no_room_is_counted(self):
        server = self.server()
        port = server.port
        server.stop()
        gateway = self.run_gateway(syslog={"address": f"127.0.0.1:{port}", "protocol": "tcp",
                                           "queue": "64KiB"})
        client = gateway.client()
        eventually(lambda: client.request("GET", "/x?" + "y" * 500) and
                   gateway.status()["audit"]["syslog"]["dropped"] > 0, "the queue is full")
        again = self.server(port=port)
        eventually(lambda: any(record["event"] == "syslog.lost" and record["count"] > 0
                               for record in again.records()), "the server is told")
        gateway.stop()
        self.assert_verified()  # the file has them all

    def test_tls(self):
        authority = Authority()
        server = self.server(pair=authority.issue(["IP:127.0.0.1"]))
        gateway = self.run_gateway(
            syslog={"address": server.address, "protocol": "tls", "ca": authority.cert})
        gateway.client().request("GET", "/secret")
        eventually(lambda: any(record.get("path") == "/secret" for record in server.records()),
                   "the server has it")

    def test_tls_with_another_name(self):
        authority = Authority()
        server = self.server(pair=authority.issue(["DNS:other.example"]))
        gateway = self.run_gateway(
            syslog={"address": server.address, "protocol": "tls", "ca": authority.cert})
        eventually(lambda: "audit_syslog_down" in gateway.stderr, "the name is refused")
        self.assertEqual(server.messages, [])
        self.assertFalse(gateway.status()["audit"]["syslog"]["connected"])
