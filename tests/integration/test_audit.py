"""The audit log: what is recorded, the chain that every tampering breaks, what `hangu audit verify`
finds and names, and what a crash leaves."""

import json
import os
import pathlib
import re
import shutil
import stat
import tempfile
import threading
import unittest

from support.audit import AuditLog, hash_of, make_key, relink
from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import Gateway, make_config, run_hangu
from support.wait import eventually


def audit_config(origin, route=None, workers=1, **audit):
    config = make_config(origin, route=route, workers=workers)
    config["audit"] = {"path": "@FOLDER@/audit.log", "requests": "all", **audit}
    return config


class Records(GatewayCase):
    @classmethod
    def config(cls, origin):
        config = audit_config(origin, requests="security")
        config["rate_limits"] = [{"name": "slow", "rate": "1/m", "burst": 1, "key": ["route"]}]
        route = config["routes"][0]
        route["match"] = {"path": {"prefix": "/"}, "methods": ["GET"]}
        config["routes"] += [
            {"name": "watched", "match": {"path": {"prefix": "/watched"}}, "upstream": "origin",
             "audit": "all"},
            {"name": "blind", "match": {"path": {"prefix": "/blind"}}, "upstream": "origin",
             "audit": "off", "clients": {"deny": ["127.0.0.0/8"]}},
            {"name": "closed", "match": {"path": {"prefix": "/closed"}}, "upstream": "origin",
             "clients": {"deny": ["127.0.0.0/8"]}},
            {"name": "slow", "match": {"path": {"prefix": "/slow"}}, "upstream": "origin",
             "rate_limits": ["slow"]}]
        return config

    def setUp(self):
        super().setUp()
        self.log = AuditLog(self.gateway.folder)
        self.before = len(self.log.records())

    def new(self, count=1):
        """The new records, once there are so many."""
        return eventually(lambda: (records := self.log.records()[self.before:])
                          and len(records) >= count and records, "records are written")

    def test_facts(self):
        response = self.ask("GET", "/watched/x?a=1", {"User-Agent": "t"})
        record = self.new()[0]
        for key, value in (("event", "request"), ("result", "ok"), ("status", 200), ("v", 1),
                           ("shard", 0), ("gen", self.gateway.status()["generation"]),
                           ("method", "GET"), ("path", "/watched/x"),
                           ("query", "a=1"), ("host", "test.example"), ("route", "watched"),
                           ("upstream", "origin"), ("upstream_address", self.origin.endpoint),
                           ("client_ip", "127.0.0.1"), ("client_ip_source", "peer"),
                           ("listener", "web"), ("response_bytes", len(response.body)),
                           ("request_id", response.header("x-request-id"))):
            self.assertEqual(record.get(key), value, key)
        self.assertRegex(record["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertGreaterEqual(record["duration_ms"], record["ttfb_ms"])
        self.assertNotIn("code", record)

    def test_refusals_with_who_decided(self):
        self.ask("GET", "/closed")
        self.ask("DELETE", "/")
        for _ in range(2):
            self.ask("GET", "/slow")
        client = self.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n")
        client.end()
        records = self.new(4)
        self.assertEqual(
            [(each["event"], each["result"], each["status"], each.get("rule"))
             for each in records],
            [("request.deny", "denied", 403, records[0].get("rule")),
             ("request.deny", "denied", 405, None),
             ("ratelimit.deny", "denied", 429, "slow"),
             ("request.deny", "denied", 400, None)])
        self.assertEqual(records[2]["filter"], "rate_limit")
        self.assertEqual(records[3]["code"], "bad_request.header")

    def test_what_is_not_wanted(self):
        self.ask("GET", "/")  # security: it was not refused
        self.ask("GET", "/blind")
        self.ask("GET", "/watched")
        self.assertEqual([each["path"] for each in self.new()], ["/watched"])

    def test_personal_data_is_hidden(self):
        self.ask("GET", "/watched/110101199003074514/13812345678?mail=a.b%40example.org&token=t0p")
        record = self.new()[0]
        self.assertEqual(record["path"], "/watched/110101********4514/138****5678")
        self.assertEqual(record["query"], "mail=a***%40example.org&token=***")

    def test_config_events(self):
        before = eventually(lambda: self.log.records("config.apply"), "the start is recorded")[-1]
        self.before = len(self.log.records())
        self.assertEqual(before["object"], str(self.gateway.config_path))
        config = self.gateway.config_path.read_text("utf-8")
        self.addCleanup(self.gateway.write_config, config)
        self.gateway.reload(config + "\n")
        self.gateway.reload("nonsense: yes\n")
        applied, refused = self.new(2)
        self.assertEqual((applied["event"], applied["result"], applied["before"]),
                         ("config.apply", "ok", before["after"]))
        self.assertEqual(
            (refused["event"], refused["result"], refused["before"], refused["gen"]),
            ("config.refuse", "failed", applied["after"], applied["gen"]))
        self.assertNotEqual(refused["after"], refused["before"])
        self.assertRegex(applied["actor"], rf"^uid={os.getuid()} pid=\d+$")
        self.assertIn("E0107", refused["reason"])

    def test_reading_is_recorded(self):
        done = run_hangu("audit", "verify", "--config", self.gateway.config_path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        record = self.new()[0]
        self.assertEqual(record["event"], "audit.verify")
        self.assertRegex(record["actor"], r"^uid=\d+ pid=\d+$")

    def test_file_is_not_for_everybody(self):
        self.assertEqual(stat.S_IMODE(self.log.path.stat().st_mode), 0o640)

    def test_status_and_metrics(self):
        self.ask("GET", "/watched")
        self.new()
        status = self.gateway.status()["audit"]
        self.assertEqual((status["path"], status["failing"], status["dropped"]),
                         (str(self.log.path), False, 0))
        self.assertGreater(self.gateway.metrics()["hangu_audit_records_total"], 1)


class Certificates(GatewayCase):
    """Who the client is, by its certificate; and the change of the gateway's own."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.pair = cls.authority.issue(["DNS:gateway.example"])
        super().setUpClass()

    @classmethod
    def config(cls, origin):
        config = audit_config(origin)
        config["listeners"][0]["tls"] = {"certificates": [cls.pair.files]}
        return config

    def test_change(self):
        log = AuditLog(self.gateway.folder)
        new = self.authority.issue(["DNS:other.example"])
        for old_file, new_file in ((self.pair.key, new.key), (self.pair.cert, new.cert)):
            shutil.copy(new_file, old_file + ".new")
            os.replace(old_file + ".new", old_file)
        changed = eventually(lambda: log.records("cert.change"), "the change is recorded")
        self.assertIn(changed[0]["object"], (self.pair.cert, self.pair.key))
        self.assertEqual(len(changed[0]["after"]), 64)


class Life(GatewayCase):
    """From start to end: a log of several runs is one chain."""

    gateway = None

    @classmethod
    def setUpClass(cls):
        cls.origin = cls.make_origin()
        cls.addClassCleanup(cls.origin.stop)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-audit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = AuditLog(self.folder)
        make_key(self.folder)

    def make_config(self, **audit):
        config = audit_config(self.origin, **{"signing_key": str(self.log.key), **audit})
        config["audit"]["path"] = str(self.log.path)
        return config

    def run_gateway(self, **audit):
        gateway = Gateway(self.make_config(**audit))
        self.addCleanup(lambda: gateway.folder.exists() and gateway.stop())
        return gateway

    def refused_start(self):
        """What a gateway says that does not start."""
        path = self.folder / "hangu.yaml"
        config = {"admin": {"socket": str(self.folder / "admin.sock")}, **self.make_config()}
        path.write_text(json.dumps(config), "utf-8")
        done = run_hangu("run", "--config", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def run_and_kill(self, **audit):
        """A gateway that the test will kill."""
        gateway = Gateway(self.make_config(**audit))
        self.addCleanup(gateway.kill)
        return gateway

    def write_some(self, requests=5, **audit):
        """A log of one run that ended well."""
        gateway = self.run_gateway(**audit)
        with gateway.client() as client:
            for number in range(requests):
                client.request("GET", f"/{number}")
        gateway.stop()
        return self.log.lines()

    def test_chain(self):
        lines = self.write_some()
        self.write_some()
        lines = self.log.lines()
        previous = "0" * 64
        for number, line in enumerate(lines, 1):
            record = json.loads(line)
            self.assertEqual((record["seq"], record["prev"], record["hash"]),
                             (number, previous, hash_of(line)))
            previous = record["hash"]
        events = [record["event"] for record in self.log.records()]
        self.assertEqual(events[:3], ["log.open", "process.start", "config.apply"])
        self.assertEqual(events.count("process.start"), 2)
        self.assertEqual(events.count("process.drain"), 2)
        self.assertEqual(events[-2:], ["process.stop", "log.checkpoint"])
        code, result = self.log.verify(key=True, shipped=True)
        self.assertEqual((code, result["records"], result["runs"], result["unclean_ends"]),
                         (0, len(lines), 2, 0), result)
        self.assertEqual(result["notes"], [])
        self.assertGreaterEqual(result["checkpoints_shipped"], 2)
        self.assertEqual(result["last_signed_seq"], len(lines))

    def test_sm3(self):
        self.write_some(chain="sm3")
        self.assertEqual(self.log.records()[0]["chain"], "sm3")
        self.assertEqual(self.log.verify(key=True)[0], 0)
        # Another digest begins another file of the same chain.
        self.write_some(chain="sha256")
        self.assertEqual(len(self.log.archived()), 1)
        self.assertEqual(self.log.records()[0]["reason"], "chain")
        self.assertEqual(self.log.verify(key=True, shipped=True)[0], 0)

    def tampered(self, change):
        """The first finding, after `change` has been made to the lines of a good log."""
        lines = self.write_some()
        self.assertIsNone(self.log.first_finding(key=True, shipped=True))
        self.log.path.write_bytes(b"".join(change(lines)))
        return self.log.first_finding(key=True, shipped=True)

    def request_line(self, lines):
        return next(i for i, line in enumerate(lines) if b'"event":"request"' in line)

    def test_flipped_byte(self):
        def change(lines):
            at = self.request_line(lines)
            return lines[:at] + [lines[at].replace(b"GET", b"PUT")] + lines[at + 1:]
        found = self.tampered(change)
        seq = self.request_line(self.log.lines()) + 1
        self.assertEqual(found, ("changed", "audit.log", seq, seq))

    def test_removed_record(self):
        def change(lines):
            self.at = self.request_line(lines)
            return lines[:self.at] + lines[self.at + 1:]
        self.assertEqual(self.tampered(change),
                         ("missing", "audit.log", self.at + 1, self.at + 1))

    def test_swapped_records(self):
        def change(lines):
            self.at = self.request_line(lines)
            a, b = lines[self.at:self.at + 2]
            return lines[:self.at] + [b, a] + lines[self.at + 2:]
        self.assertEqual(self.tampered(change)[:3], ("missing", "audit.log", self.at + 1))

    def test_cut_off(self):
        found = self.tampered(lambda lines: lines[:-3])
        self.assertEqual(found[:2], ("cut_off", "audit.log"))
        self.assertEqual(found[3], len(self.log.lines()) + 1)

    def test_cut_off_without_shipped_checkpoints_is_an_open_end(self):
        lines = self.write_some()
        self.log.path.write_bytes(b"".join(lines[:-3]))
        code, result = self.log.verify(key=True)
        self.assertIn("open_end", [note["kind"] for note in result["notes"]], result)

    def test_forged_chain(self):
        """Every link made anew, by somebody without the key."""
        def change(lines):
            at = self.request_line(lines)
            return relink(lines[:at] + [lines[at].replace(b"GET", b"PUT")] + lines[at + 1:])
        found = self.tampered(change)
        self.assertIn(found[0], ("forged", "checkpoint"))
        self.assertEqual(found[1], "audit.log")

    def test_forged_chain_with_another_key(self):
        self.write_some()
        other = pathlib.Path(tempfile.mkdtemp(prefix="hangu-key-", dir=self.folder))
        make_key(other)
        done = run_hangu("audit", "verify", "--log", self.log.path, "--public-key",
                         other / "audit.key.pub")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not signed with this key", done.stdout)

    def test_checkpoints_removed_and_chain_forged(self):
        def change(lines):
            kept = [line for line in lines if b'"event":"log.checkpoint"' not in line]
            return relink([re.sub(rb'"seq":\d+', b'"seq":%d' % number, line, count=1)
                           for number, line in enumerate(kept, 1)])
        self.assertIsNotNone(self.tampered(change))
        self.assertEqual(self.log.first_finding(key=True)[0], "unsigned")  # without shipped ones

    def test_other_words_in_the_file(self):
        found = self.tampered(lambda lines: lines + [b"hello\n"])
        self.assertEqual(found[0], "no_record")

    def test_file_that_is_no_log_is_left_alone(self):
        self.log.path.write_text("precious\n", encoding="ascii")
        self.assertIn("it does not begin as an audit log does", self.refused_start())
        self.assertEqual(self.log.path.read_text("ascii"), "precious\n")

    def test_kill_under_load(self):
        """What was answered longer ago than a batch takes is there; the log says that the run ended
        without a word."""
        gateway = self.run_and_kill(fsync="batch")
        answered = []
        enough = threading.Event()

        def ask():
            with gateway.client() as client:
                while not enough.is_set():
                    try:
                        response = client.request("GET", "/load")
                    except (OSError, AssertionError, EOFError):
                        return
                    answered.append(response.header("x-request-id"))

        thread = threading.Thread(target=ask)
        thread.start()
        eventually(lambda: len(answered) >= 300, "there is load")
        settled = list(answered)
        # A record that came after all of these is on the disk.
        eventually(lambda: settled[-1].encode() in self.log.path.read_bytes(), "it is written")
        gateway.process.kill()
        gateway.process.wait()
        enough.set()
        thread.join()
        code, result = self.log.verify(key=True)
        self.assertEqual(code, 0, result)
        self.assertIn("open_end", [note["kind"] for note in result["notes"]])
        known = {record.get("request_id") for record in self.log.records()}
        self.assertEqual([each for each in settled if each not in known], [])
        # The next run says it, too.
        self.write_some()
        code, result = self.log.verify(key=True)
        self.assertEqual((code, result["unclean_ends"]), (0, 1), result)
        note = next(note for note in result["notes"] if note["kind"] == "unclean_end")
        self.assertIn("fsync: batch", note["text"])

    def test_line_that_a_crash_cut_off(self):
        lines = self.write_some()
        self.run_and_kill().kill()
        with open(self.log.path, "ab") as file:
            file.write(lines[-1][:100])
        self.write_some(compress=False)
        code, result = self.log.verify(key=True)
        self.assertEqual(code, 0, result)
        torn = [note for note in result["notes"] if note["kind"] == "torn"]
        self.assertEqual(len(torn), 1)
        self.assertEqual(self.log.records()[0]["torn_bytes"], 100)
        # Cut off further, the words of the process do not fit any more.
        archived = self.log.archived()[0]
        archived.write_bytes(archived.read_bytes()[:-1])
        self.assertEqual(self.log.first_finding(key=True)[0], "torn")

    def test_a_second_process_does_not_write_it(self):
        self.run_gateway()
        self.assertIn("another process writes it", self.refused_start())


class Keys(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-key-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_made_and_shown(self):
        make_key(self.folder)
        key = self.folder / "audit.key"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        shown = run_hangu("audit", "key", key)
        self.assertEqual(shown.stdout, (self.folder / "audit.key.pub").read_text("ascii"))
        self.assertIn("BEGIN PUBLIC KEY", shown.stdout)

    def test_never_over_one_that_is_there(self):
        make_key(self.folder)
        before = (self.folder / "audit.key").read_bytes()
        self.assertEqual(run_hangu("audit", "keygen", self.folder / "audit.key").returncode, 1)
        self.assertEqual((self.folder / "audit.key").read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
