"""Routes, upstreams and policies written by the admin API: checked like everything else, in force
when the answer comes, never lost then, and never half done."""

import base64
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

from support.case import GatewayCase
from support.client import Client
from support.documents import Documents, JSON, route
from support.etcd import Etcd
from support.gateway import BINARY, Gateway, make_config, run_hangu, socket_address
from support.json_log import records_of
from support.load import Load
from support.wait import eventually


def config(origin=None, **others):
    """`admin`: keys beside the socket."""
    admin = {"socket": "@FOLDER@/admin.sock", "writable": True, **others.pop("admin", {})}
    return make_config(origin, **{"state_dir": "@FOLDER@/state", "admin": admin,
                                  "audit": {"path": "@FOLDER@/audit.log"}, **others})


class WriteCase(GatewayCase):
    @classmethod
    def config(cls, origin):
        return config(origin, stores=[{"name": "hot", "url": "redis://127.0.0.1:1",
                                       "password": "s3cret-of-the-file"}])

    def setUp(self):
        super().setUp()
        self.documents = Documents(self.gateway)

    def assert_refused(self, reply, status, code):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.header("content-type"), "application/problem+json")
        problem = reply.json()
        self.assertEqual((problem["status"], problem["code"]), (status, code), problem)
        return problem

    def assert_done(self, reply, *statuses):
        self.assertIn(reply.status, statuses or (200, 201), reply.body)
        return reply.json()

    def audited(self, event):
        return [each for each in records_of(self.gateway.folder / "audit.log")
                if each["event"] == event]

    def says(self, path, text, gateway=None):
        reply = (gateway or self.gateway).client().request("GET", path)
        self.assertEqual((reply.status, reply.body), (200, text.encode()))


class Documented(WriteCase):
    def test_put_is_in_force_when_the_answer_comes(self):
        made = self.documents.put("routes/live", route("/live", "one"))
        body = self.assert_done(made, 201)
        self.assertTrue(body["in_force"])
        self.says("/live", "one")
        replaced = self.documents.put("routes/live", "# why\nmatch: {path: {prefix: /live}}\n"
                                                     "respond: {body: two}\n")
        self.assert_done(replaced, 200)
        self.says("/live", "two")
        self.assertNotEqual(made.header("etag"), replaced.header("etag"))
        self.assertEqual(replaced.json()["documents"][0]["before"], made.header("etag"))
        again = self.documents.put("routes/live", "# why\nmatch: {path: {prefix: /live}}\n"
                                                  "respond: {body: two}\n")
        self.assertEqual(again.header("etag"), replaced.header("etag"))
        self.assert_done(self.documents.delete("routes/live"), 200)
        self.assertEqual(self.ask("GET", "/live").header("x-upstream"), None)
        self.assert_refused(self.documents.delete("routes/live"), 404, "config.no_document")
        self.assert_refused(self.documents.get("routes/live"), 404, "config.no_document")

    def test_reads(self):
        self.assert_done(self.documents.put("routes/read", {
            "match": {"path": {"prefix": "/read"}, "methods": ["GET"]},
            "respond": {"status": 503, "body": "5"}, "timeout": "2s"}))
        found = self.documents.get("routes/read")
        self.assertEqual(found.json()["respond"], {"status": 503, "body": "5"})
        self.assertEqual(found.header("hangu-source"), "document")
        known = self.documents.get("routes/read", ("If-None-Match", found.header("etag")))
        self.assertEqual((known.status, known.body), (304, b""))
        as_yaml = self.documents.get("routes/read", ("Accept", "application/yaml"))
        self.assertEqual(as_yaml.header("content-type"), "application/yaml")
        self.assertIn('body: "5"', as_yaml.body.decode())
        self.assertNotEqual(as_yaml.header("etag"), found.header("etag"))
        self.assert_done(self.documents.put("routes/read", as_yaml.body.decode(),
                                            ("If-Match", as_yaml.header("etag"))), 200)
        self.assertEqual(self.documents.get("routes/read").json(), found.json())
        listed = {each["key"]: each for each in self.documents.list()["documents"]}
        self.assertEqual(listed["routes/all"], {"key": "routes/all", "source": "file",
                                                "etag": None, "in_force": True})
        self.assertEqual(listed["routes/read"]["etag"],
                         self.documents.get("routes/read").header("etag"))
        tag = self.documents.ask("GET", "/documents").header("etag")
        known = self.documents.ask("GET", "/documents", ("If-None-Match", tag))
        self.assertEqual((known.status, known.body, known.header("etag")), (304, b"", tag))
        self.assert_done(self.documents.put("routes/more", route("/more", "1")))
        self.assertEqual(self.documents.ask("GET", "/documents", ("If-None-Match", tag)).status,
                         200)

    def test_elements_of_the_file_are_its_own(self):
        found = self.documents.get("upstreams/origin")
        self.assertEqual(found.json(), {"endpoints": [self.origin.endpoint]})
        self.assertEqual(found.header("hangu-source"), "file")
        problem = self.assert_refused(self.documents.put("upstreams/origin", {"endpoints": []}),
                                      409, "config.in_file")
        self.assertIn("upstreams/origin stands in the file", problem["detail"])
        self.assert_refused(self.documents.delete("routes/all"), 409, "config.in_file")

    def test_what_is_wrong_is_told_at_once_with_its_places(self):
        reply = self.documents.put("routes/bad", "match:\n  path: 5\nupstraem: origin\n"
                                                 "timeout: soon\n")
        problem = self.assert_refused(reply, 422, "config.invalid")
        found = {(each["line"], each["code"]): each for each in problem["diagnostics"]}
        self.assertGreaterEqual(len(found), 3, found)
        self.assertIn('did you mean "upstream"', found[3, "E0123"]["suggestion"])
        self.assertEqual(found[3, "E0123"]["file"], "routes/bad")
        self.assertTrue(found[4, "E0112"]["path"].startswith("routes/bad"), found)
        self.assertEqual(self.documents.get("routes/bad").status, 404)
        # Good alone and not with the rest.
        problem = self.assert_refused(
            self.documents.put("routes/bad", {"upstream": "nobody", "match": {}}), 422,
            "config.invalid")
        self.assertIn("nobody", problem["diagnostics"][0]["message"])
        self.assertNotIn("bad", " ".join(self.documents.keys()))

    def test_what_others_need_is_not_removed(self):
        self.assert_done(self.documents.change(
            {"key": "routes/needs", "document": {"match": {"path": {"prefix": "/needs"}},
                                                 "upstream": "needed"}},
            {"key": "upstreams/needed", "yaml": f"endpoints: ['{self.origin.endpoint}']"}), 200)
        self.assertEqual(self.ask("GET", "/needs").status, 200)
        problem = self.assert_refused(self.documents.delete("upstreams/needed"), 422,
                                      "config.invalid")
        self.assertIn("routes/needs", json.dumps(problem["diagnostics"]))
        self.assert_done(self.documents.change({"key": "upstreams/needed", "document": None},
                                               {"key": "routes/needs", "document": None}), 200)

    def test_preconditions(self):
        first = self.documents.put("routes/match", route("/match", "1"), ("If-None-Match", "*"))
        self.assert_done(first, 201)
        etag = first.header("etag")
        reply = self.documents.put("routes/match", route("/match", "x"), ("If-None-Match", "*"))
        self.assertEqual(self.assert_refused(reply, 412, "config.mismatch")["etag"], etag)
        self.assertEqual(reply.header("etag"), etag)
        second = self.documents.put("routes/match", route("/match", "2"), ("If-Match", etag))
        self.assert_done(second, 200)
        for fields in ([("If-Match", etag)], [("If-Match", f'W/{second.header("etag")}')],
                       [("If-Match", '"a", "b"')]):
            reply = self.documents.put("routes/match", route("/match", "x"), *fields)
            self.assert_refused(reply, 412, "config.mismatch")
        self.assert_refused(self.documents.put("routes/none", route("/n", "x"), ("If-Match", "*")),
                            412, "config.mismatch")
        self.assert_refused(self.documents.put("routes/match", route("/n", "x"),
                                               ("If-Match", "bare")), 400, "config.bad_match")
        self.says("/match", "2")
        self.assert_refused(self.documents.delete("routes/match", ("If-Match", etag)), 412,
                            "config.mismatch")
        self.assert_done(self.documents.delete("routes/match",
                                               ("If-Match", f'"x", {second.header("etag")}')))

    def test_the_whole_config_has_a_tag(self):
        before = self.documents.list()["config_etag"]
        change = {"key": "routes/whole", "document": route("/whole", "1")}
        after = self.assert_done(self.documents.change(change, fields=[("If-Match", before)]))
        self.assertEqual(after["config_etag"], self.documents.list()["config_etag"])
        change["document"] = route("/whole", "2")
        reply = self.documents.change(change, fields=[("If-Match", before)])
        problem = self.assert_refused(reply, 412, "config.mismatch")
        self.assertEqual(problem["config_etag"], after["config_etag"])
        self.says("/whole", "1")
        self.assert_done(self.documents.delete("routes/whole"))
        self.assertEqual(self.documents.list()["config_etag"], before)

    def test_a_change_is_all_or_nothing(self):
        reply = self.documents.change({"key": "routes/t1", "document": route("/t1", "1")},
                                      {"key": "routes/t2", "document": {"match": 5}})
        self.assert_refused(reply, 422, "config.invalid")
        self.assertEqual(self.documents.get("routes/t1").status, 404)
        one = {"key": "routes/t1", "document": route("/t1", "1")}
        for body, code in (({}, "config.bad_changes"), ({"changes": []}, "config.bad_changes"),
                           ({"changes": [one, one]}, "config.bad_changes"),
                           ({"changes": [{"key": "listeners/web", "document": {}}]},
                            "config.bad_changes"),
                           ({"changes": [{**one, "yaml": "a"}]}, "config.bad_changes"),
                           ({"changes": [{**one, "why": "a"}]}, "config.bad_changes")):
            reply = self.documents.ask("POST", "/changes", JSON, body=json.dumps(body).encode())
            self.assert_refused(reply, 400, code)
        reply = self.documents.change(*({"key": f"routes/m{n}", "document": {}}
                                        for n in range(1001)))
        self.assert_refused(reply, 413, "config.too_many")

    def test_dry_runs_change_nothing(self):
        body = self.assert_done(self.documents.put("routes/dry", route("/dry", "1"),
                                                   query="?dry_run=true"), 200)
        self.assertTrue(body["dry_run"])
        self.assertFalse(body["in_force"])
        self.assertEqual(body["documents"][0]["before"], None)
        self.assertEqual(self.documents.get("routes/dry").status, 404)
        reply = self.documents.put("routes/dry", {"match": 5}, query="?dry_run=true")
        self.assert_refused(reply, 422, "config.invalid")
        reply = self.documents.put("routes/dry", {}, query="?dry=true")
        self.assert_refused(reply, 400, "admin.bad_query")

    def test_bodies_that_are_none(self):
        self.assert_refused(self.documents.ask("PUT", "/documents/routes/body", JSON,
                                               body=b"{"), 400, "config.bad_json")
        self.assert_refused(
            self.documents.ask("PUT", "/documents/routes/body",
                               ("Content-Type", "application/x-www-form-urlencoded"), body=b"a=b"),
            415, "config.media_type")
        self.assert_refused(self.documents.put("routes/body", "a: [1"), 422, "config.invalid")
        self.assert_refused(self.documents.put("listeners/web", {}), 404, "config.no_document")
        self.assert_refused(self.documents.put("routes/a%20b", {}), 404, "config.no_document")
        unicode = self.documents.ask("PUT", "/documents/routes/unicode", JSON, body=json.dumps(
            route("/unicode", "\U0001f600/\u51fd")).encode())
        self.assert_done(unicode, 201)
        self.says("/unicode", "\U0001f600/\u51fd")

    def test_sizes(self):
        large = "# " + "x" * (1024 * 1024)
        problem = self.assert_refused(self.documents.put("routes/large", large), 422,
                                      "config.invalid")
        self.assertEqual(problem["diagnostics"][0]["code"], "E0178")
        reply = self.documents.put("routes/large", "# " + "x" * (2 * 1024 * 1024))
        self.assert_refused(reply, 413, "admin.body_too_large")
        reply = self.gateway.admin("POST", "/reload", body=b"x" * (65 * 1024))
        self.assert_refused(reply, 413, "admin.body_too_large")
        # As curl does with large bodies.
        text = f"# {'x' * 100000}\n" + json.dumps(route("/expect", "1"))
        asked = self.documents.put("routes/expect", text, ("Expect", "100-continue"))
        self.assert_done(asked, 201)
        self.assertEqual([each.status for each in asked.informational], [100])

    def test_secrets_stay_inside_and_masks_outside(self):
        shown = self.documents.get("stores/hot")
        self.assertEqual(shown.json()["password"], "***")
        self.assert_done(self.documents.put("stores/cold", {
            "url": "redis://127.0.0.1:1", "password": "s3cret-of-a-document"}))
        found = self.documents.get("stores/cold")
        self.assertEqual(found.json(), {"url": "redis://127.0.0.1:1", "password": "***"})
        self.assertNotIn("s3cret", self.documents.get(
            "stores/cold", ("Accept", "application/yaml")).body.decode())
        problem = self.assert_refused(self.documents.put("stores/cold", found.json()), 422,
                                      "config.invalid")
        self.assertEqual(problem["diagnostics"][0]["code"], "E0179")
        self.assertEqual(problem["diagnostics"][0]["path"], "stores/cold.password")
        self.assertNotIn("s3cret", (self.gateway.folder / "audit.log").read_text())

    def test_what_was_done_is_in_the_audit_log(self):
        self.assert_done(self.documents.put("routes/audited", route("/audited", "1")))
        self.documents.put("routes/audited", {"match": 5})

        def records():
            found = [each for each in records_of(self.gateway.folder / "audit.log")
                     if each.get("object") == "routes/audited"]
            return len(found) == 2 and found

        applied, refused = eventually(records, "both are recorded")
        self.assertEqual((applied["event"], applied["result"]), ("config.apply", "ok"))
        self.assertTrue(applied["actor"].startswith("uid="), applied)
        self.assertNotEqual(applied["before"], applied["after"])
        self.assertEqual(refused["result"], "failed", refused)
        self.assertEqual(refused["before"], applied["after"])

    def test_a_web_page_may_not(self):
        reply = self.documents.put("routes/page", {}, ("Origin", "https://evil.example"))
        self.assert_refused(reply, 403, "admin.browser")

    def test_one_of_many_writers_wins(self):
        etag = self.documents.put("routes/race", route("/race", "start")).header("etag")
        replies = []

        def write(number):
            replies.append((number, self.documents.put("routes/race", route("/race", str(number)),
                                                       ("If-Match", etag)).status))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [number for number, status in replies if status == 200]
        self.assertEqual(sorted(status for _, status in replies), [200] + [412] * 7)
        self.says("/race", str(winners[0]))

    def test_status_shows_them(self):
        self.assert_done(self.documents.put("routes/shown", route("/shown", "1")))
        status = self.gateway.status()["documents"]
        self.assertEqual(status["documents"], len(self.documents.keys()))
        self.assertGreater(status["generation"], 0)
        text = run_hangu("status", "--socket", self.gateway.socket).stdout
        self.assertIn("DOCUMENTS", text)


class Kept(WriteCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="hangu-test-")
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)

    def begin(self, **others):
        made = config(self.origin, **others)
        made["state_dir"] = str(self.state)
        gateway = Gateway(made)
        self.addCleanup(gateway.kill)
        return gateway

    def test_kill_right_after_the_answer_loses_nothing(self):
        gateway = self.begin()
        for number in range(5):
            documents = Documents(gateway)
            key = f"routes/k{number}"
            self.assert_done(documents.put(key, route(f"/k{number}", str(number))), 201)
            if number:
                self.assert_done(documents.delete(f"routes/k{number - 1}"))
            gateway.close_clients()
            gateway.send_signal(signal.SIGKILL)
            gateway.process.wait()
            gateway.kill()
            gateway = self.begin()
            self.says(f"/k{number}", str(number), gateway)
            self.assertEqual(Documents(gateway).keys(), [key])
        self.assertEqual(gateway.status()["documents"]["generation"], 9)
        gateway.stop()

    def test_reload_of_the_file_keeps_them_and_may_bring_what_they_lack(self):
        gateway = self.begin()
        documents = Documents(gateway)
        self.assert_done(documents.put("routes/stays", route("/stays", "1")))
        made = config(self.origin)
        made["state_dir"] = str(self.state)
        made["routes"].append({"name": "filed", **route("/filed", "2")})
        done = gateway.reload(made)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.says("/stays", "1", gateway)
        self.says("/filed", "2", gateway)
        self.assert_refused(documents.put("routes/filed", {}), 409, "config.in_file")
        # A file that takes a document's name is refused as a whole.
        made["routes"].append({"name": "stays", **route("/taken", "3")})
        self.assertNotEqual(gateway.reload(made).returncode, 0)
        self.says("/stays", "1", gateway)
        self.assert_done(documents.put("routes/stays", route("/stays", "4")), 200)
        self.says("/stays", "4", gateway)
        gateway.stop()

    def test_at_a_start_with_another_file_what_cannot_be_is_reported(self):
        gateway = self.begin()
        documents = Documents(gateway)
        self.assert_done(documents.put("routes/good", route("/good", "1")))
        self.assert_done(documents.put("routes/refers", {"match": {"path": {"prefix": "/r"}},
                                                         "upstream": "origin"}))
        gateway.stop()
        made = config()
        made["state_dir"] = str(self.state)
        gateway = self.start(made)
        self.says("/good", "1", gateway)
        refused = gateway.status()["documents"]["refused"]
        self.assertEqual([each["key"] for each in refused], ["routes/refers"])
        documents = Documents(gateway)
        self.assertIn("origin", documents.get("routes/refers").header("hangu-refused"))
        self.assert_done(documents.delete("routes/refers"), 200)
        self.assertEqual(documents.keys(), ["routes/good"])

    def test_without_the_switch_nobody_writes_and_the_file_is_all(self):
        gateway = self.begin()
        self.assert_done(Documents(gateway).put("routes/a", route("/a", "1")))
        gateway.stop()
        gateway = self.begin(admin={"writable": False})
        documents = Documents(gateway)
        self.assert_refused(documents.put("routes/b", {}), 403, "config.read_only")
        self.assertEqual(documents.keys(), [])
        self.assertFalse(documents.list()["writable"])
        self.assertEqual(documents.get("routes/all").status, 200)
        gateway.stop()

    def test_a_file_that_is_damaged_stops_the_start(self):
        gateway = self.begin()
        self.assert_done(Documents(gateway).put("routes/a", route("/a", "1")))
        self.assert_done(Documents(gateway).put("routes/c", route("/c", "1")))
        gateway.stop()
        path = self.state / "documents"
        path.write_bytes(path.read_bytes().replace(b"/a", b"/b"))
        with self.assertRaisesRegex(AssertionError, "line 1 is damaged"):
            self.begin()

    def test_an_upgrade_takes_them_along(self):
        gateway = self.begin()
        documents = Documents(gateway)
        self.assert_done(documents.put("routes/a", route("/a", "1")))
        self.assertEqual(gateway.admin("POST", "/upgrade").status, 200)
        self.says("/a", "1", gateway)
        self.assert_done(documents.put("routes/b", route("/b", "2")))
        self.says("/b", "2", gateway)
        self.assertEqual(documents.keys(), ["routes/a", "routes/b"])
        gateway.stop()

    def test_after_an_upgrade_the_old_process_writes_no_more(self):
        here, go = threading.Event(), threading.Event()
        self.addCleanup(go.set)

        def held(exchange):
            here.set()
            go.wait(20)
            exchange.reply(200, body=b"held")

        self.origin.on("/held", held)
        gateway = self.begin()
        self.assert_done(Documents(gateway).put("routes/a", route("/a", "1")))
        client = gateway.client()
        client.send_request("GET", "/held")  # for it to stay
        self.assertTrue(here.wait(20))
        with Client(gateway.socket) as session:
            self.assertEqual(session.request("GET", "/health").status, 200)
            self.assertEqual(gateway.admin("POST", "/upgrade").status, 200)
            self.assert_done(Documents(gateway).put("routes/b", route("/b", "2")))
            kept = (self.state / "documents").read_bytes()
            reply = session.request("PUT", "/config/documents/routes/late", [JSON],
                                    json.dumps(route("/late", "3")).encode())
            problem = self.assert_refused(reply, 503, "config.busy")
            self.assertIn("another process", problem["detail"])
        self.assertEqual((self.state / "documents").read_bytes(), kept)
        go.set()
        self.assertEqual(client.read_response().body, b"held")
        self.assertEqual(Documents(gateway).keys(), ["routes/a", "routes/b"])
        gateway.stop()

    def test_a_long_message_is_cut_between_characters(self):
        gateway = self.begin()
        reply = Documents(gateway).change({"key": "routes/a", "document": route("/a", "1")},
                                          message="\u4e2d" * 334)
        self.assert_done(reply)
        gateway.stop()
        gateway = self.begin()
        self.says("/a", "1", gateway)
        gateway.stop()

    def test_writers_may_have_to_say_what_they_build_on(self):
        gateway = self.begin(admin={"require_match": True})
        documents = Documents(gateway)
        self.assert_refused(documents.put("routes/a", route("/a", "1")), 428,
                            "config.match_required")
        made = documents.put("routes/a", route("/a", "1"), ("If-None-Match", "*"))
        self.assert_done(made, 201)
        self.assert_refused(documents.delete("routes/a"), 428, "config.match_required")
        self.assert_done(documents.delete("routes/a", ("If-Match", made.header("etag"))))
        gateway.stop()


class Pushed(WriteCase):
    """The same by `hangu config`, as with a config centre."""

    def hangu(self, verb, *arguments, code=0):
        done = run_hangu("config", verb, *arguments, "--config", self.gateway.config_path)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def file(self, **routes):
        path = self.gateway.folder / "elements.yaml"
        path.write_text(json.dumps({"routes": [{"name": name, **what}
                                               for name, what in routes.items()]}))
        return path

    def test_push_and_get(self):
        file = self.file(one=route("/one", "1"), two=route("/two", "2"))
        said = self.hangu("push", file, "--dry-run")
        self.assertEqual(said, "+ routes/one\n+ routes/two\n2 documents would change\n")
        self.assertEqual(self.documents.keys(), [])
        self.hangu("push", file, "-m", "two of them")
        self.says("/one", "1")
        eventually(lambda: "routes/one and 1 more" in
                   [each.get("object") for each in self.audited("config.apply")], "it is recorded")
        said = self.hangu("push", self.file(one=route("/one", "one"), two=route("/two", "2")))
        self.assertEqual(said, "~ routes/one\n1 documents changed\n")
        self.says("/one", "one")
        listed = self.hangu("get").splitlines()
        self.assertIn(["routes/all", "file", "in", "force"], [each.split() for each in listed])
        self.assertIn(["routes/two", "document", "in", "force"], [each.split() for each in listed])
        self.assertIn("/two", self.hangu("get", "routes/two"))
        self.assertIn("routes/none", self.hangu("get", "routes/none", code=1))
        self.hangu("push", "--remove", "routes/two")
        self.assertEqual(self.documents.keys(), ["routes/one"])
        said = self.hangu("push", "--prune", self.file(three=route("/three", "3")))
        self.assertEqual(said, "+ routes/three\n- routes/one\n2 documents changed\n")

    def test_what_is_wrong_is_said_and_changes_nothing(self):
        broken = self.file(bad=route("/bad", "x", timout="1s"), good=route("/good", "x"))
        before = self.documents.keys()
        said = self.hangu("push", broken, code=3)
        self.assertIn("timeout", said)
        self.assertEqual(self.documents.keys(), before)
        self.assertIn("routes/all", self.hangu("push", self.file(all=route("/", "x")), code=1))
        self.hangu("push", "--remove", "routes/none", code=1)
        self.assertIn("--rollout", self.hangu("push", broken, "--rollout", code=2))
        self.assertIn("would remove everything", self.hangu("push", "--prune", code=2))


class Loaded(WriteCase):
    def test_fifty_writes_a_second_under_load_fail_nobody(self):
        load = Load(self.gateway.listener(), threads=2)
        self.addCleanup(load.stopping.set)
        begin = time.monotonic()
        for number in range(100):
            reply = self.documents.put(f"routes/n{number % 10}", route("/n", str(number)))
            self.assert_done(reply)
            time.sleep(max(0.0, begin + (number + 1) / 50 - time.monotonic()))
        load.stopping.set()
        for thread in load.threads:
            thread.join()
        self.assertEqual(load.failures, [])
        self.assertGreater(load.count(), 0)


class Roles(WriteCase):
    @classmethod
    def config(cls, origin):
        people = []
        for name, role in (("sys", "sysadmin"), ("sec", "secadmin"), ("aud", "auditor")):
            done = subprocess.run([BINARY, "hash-password"], input=f"{name}-pw\n", text=True,
                                  capture_output=True, check=True, timeout=60)
            people.append({"name": name, "role": role, "hash": done.stdout.strip()})
        return config(origin, admin={"administrators": people})

    def of(self, name):
        word = base64.b64encode(f"{name}:{name}-pw".encode()).decode()
        reply = self.gateway.admin("POST", "/login", [("Authorization", f"Basic {word}")])
        self.assertEqual(reply.status, 200, reply.body)
        return Documents(self.gateway, ("Authorization", "Bearer " + reply.json()["token"]))

    def test_who_may_what(self):
        system, security, auditor = self.of("sys"), self.of("sec"), self.of("aud")
        listeners = self.gateway.admin("GET", "/status", auditor.fields).json()["listeners"]
        address = socket_address(listeners[0]["address"])

        def status(path):
            with Client(address) as client:
                return client.request("GET", path).status

        stranger = Documents(self.gateway)
        for documents in (system, security, auditor):
            self.assertEqual(documents.get("routes/all").status, 200)
        self.assert_refused(stranger.get("routes/all"), 401, "admin.unknown")
        self.assert_refused(stranger.put("routes/a", {}), 401, "admin.unknown")
        self.assert_refused(auditor.put("routes/a", {}), 403, "admin.forbidden")
        # Bodies of those who may not write are not even read.
        self.assert_refused(stranger.put("routes/a", "# " + "x" * 100000), 413,
                            "admin.body_too_large")
        keys = {"api_key": "on"}
        self.assert_refused(system.put("authenticators/keys", keys), 403, "config.forbidden")
        self.assert_done(security.put("authenticators/keys", keys), 201)
        self.assert_refused(security.put("routes/a", route("/a", "1")), 403, "config.forbidden")
        self.assert_done(system.put("routes/a", route("/a", "1")), 201)
        guarded = route("/a", "1", authentication={"any": ["keys"]})
        problem = self.assert_refused(system.put("routes/a", guarded), 403, "config.forbidden")
        self.assertIn("`authentication`", problem["detail"])
        self.assert_done(security.put("routes/a", guarded), 200)
        self.assertEqual(status("/a"), 401)
        self.assert_refused(system.put("routes/a", route("/a", "1")), 403, "config.forbidden")
        denied = eventually(lambda: [each for each in self.audited("admin.deny")
                                     if "`authentication`" in each.get("reason", "")],
                            "it is recorded")
        self.assertEqual((denied[0]["object"], denied[0]["result"]),
                         ("PUT /config/documents/routes/a", "denied"))
        self.assertTrue(denied[0]["actor"].startswith("sys "), denied[0])
        self.assert_refused(system.delete("routes/a"), 403, "config.forbidden")
        leak = {"match": {"path": {"prefix": "/leak"}}, "respond": {"file": "/etc/hostname"}}
        problem = self.assert_refused(system.put("routes/leak", leak), 403, "config.forbidden")
        self.assertIn("`respond`", problem["detail"])
        moved = route("/b", "1", authentication={"any": ["keys"]})
        self.assert_refused(security.put("routes/a", moved), 403, "config.forbidden")
        self.assert_done(system.put("routes/a", moved), 200)
        self.assertEqual(status("/b"), 401)
        reply = system.change({"key": "routes/a", "document": None},
                              {"key": "routes/c", "document": route("/c", "1")})
        self.assert_refused(reply, 403, "config.forbidden")
        self.assert_done(security.delete("routes/a"), 200)


class Refused(WriteCase):
    def test_what_the_gateway_cannot_have_is_not_kept(self):
        bad = pathlib.Path(self.gateway.folder / "bad.so")
        bad.write_bytes(b"no library")
        reply = self.documents.put("plugins/bad", {"path": str(bad)})
        self.assertEqual(reply.status, 422, reply.body)
        self.assertNotIn("plugins/bad", self.documents.keys())
        self.assert_done(self.documents.put("routes/after", route("/after", "1")))
        self.says("/after", "1")

    def test_a_disk_that_takes_nothing_is_said(self):
        if os.geteuid() == 0:
            state = "/proc/hangu"  # where even root makes no folder
        else:
            state = "/"
        gateway = self.start(config(self.origin, state_dir=state))
        documents = Documents(gateway)
        self.assert_refused(documents.put("routes/a", route("/a", "1")), 507, "config.not_stored")
        self.assertEqual(documents.keys(), [])
        self.assertNotEqual(gateway.client().request("GET", "/a").body, b"1")


class Center(WriteCase):
    """With a config centre documents are the fleet's: written there, read here."""
    @classmethod
    def setUpClass(cls):
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.stop)
        super().setUpClass()

    @classmethod
    def config(cls, origin, **center):
        return config(origin, config_center={"endpoints": cls.etcd.urls, "timeout": "10s",
                                             **center})

    def other(self, **center):
        gateway = self.start(self.config(self.origin, **center))
        return gateway, Documents(gateway)

    def test_the_last_document_is_not_taken_away_by_accident(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        gateway = self.start(config(self.origin, config_center={"endpoints": etcd.urls}))
        documents = Documents(gateway)
        self.assert_done(documents.put("routes/last", route("/last", "1")), 201)
        body = self.assert_done(documents.delete("routes/last"), 202)
        self.assertFalse(body["in_force"])
        self.assertIn("confirm_empty", body["reason"])
        self.says("/last", "1", gateway)

    def test_a_write_is_everybodys_with_its_history(self):
        self.assert_done(self.documents.put("routes/other", route("/other", "1")))
        made = self.documents.put("routes/fleet", route("/fleet", "1"))
        body = self.assert_done(made, 201)
        self.assertTrue(body["in_force"])
        self.says("/fleet", "1")
        gateway, documents = self.other()
        self.says("/fleet", "1", gateway)
        self.assertEqual(documents.get("routes/fleet").header("etag"), made.header("etag"))
        self.assert_done(documents.put("routes/fleet", route("/fleet", "2"),
                                       ("If-Match", made.header("etag"))), 200)
        eventually(lambda: self.ask("GET", "/fleet").body == b"2", "it comes to the other one")
        self.assert_refused(self.documents.put("routes/fleet", {}, ("If-Match",
                                                                    made.header("etag"))),
                            412, "config.mismatch")
        history = run_hangu("config", "history", "--config", str(self.gateway.config_path))
        self.assertEqual(history.returncode, 0, history.stderr)
        self.assertIn(f"{body['generation']}  ", history.stdout)
        self.assertIn("uid=", history.stdout)
        self.assert_done(self.documents.delete("routes/fleet"), 200)
        eventually(lambda: gateway.client().request("GET", "/fleet").body != b"2", "it is gone")
        self.assertEqual(self.documents.list()["store"], "config_center")
        eventually(lambda: [each for each in self.audited("config.apply")
                            if each["actor"].startswith("uid=")
                            and each.get("object") == "routes/fleet"], "who wrote is recorded")

    def test_what_is_wrong_is_not_written(self):
        problem = self.assert_refused(self.documents.put("routes/wrong", {"match": 5}), 422,
                                      "config.invalid")
        self.assertEqual(problem["diagnostics"][0]["file"], "routes/wrong")
        eventually(lambda: [each for each in self.audited("config.refuse")
                            if each["actor"].startswith("uid=")
                            and each.get("object") == "routes/wrong"], "who tried is recorded")
        self.assert_done(self.documents.put("routes/wrong", route("/wrong", "1"),
                                            query="?dry_run=true"), 200)
        self.assertEqual(self.etcd.get("/hangu/config/routes/wrong"), None)
        self.assert_refused(self.documents.put("routes/all", {}), 409, "config.in_file")

    def test_the_whole_config_has_a_tag(self):
        before = self.documents.list()["config_etag"]
        change = {"key": "routes/tagged", "document": route("/tagged", "1")}
        self.assert_done(self.documents.change(change, fields=[("If-Match", before)], message="m"))
        change["document"] = route("/tagged", "2")
        self.assert_refused(self.documents.change(change, fields=[("If-Match", before)]), 412,
                            "config.mismatch")

    def test_writers_of_many_gateways(self):
        gateway, documents = self.other()
        replies = []

        def write(writer, number):
            for step in range(10):
                replies.append(writer.put(f"routes/w{number}-{step}", route("/w", "1")).status)

        threads = [threading.Thread(target=write, args=(writer, number))
                   for number, writer in enumerate((self.documents, documents))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(replies, [201] * 20)
        for each in (self.documents, documents):
            eventually(lambda one=each: sum(key.startswith("routes/w") and "-" in key
                                            for key in one.keys()) == 20, "all are everywhere")
        gateway.close_clients()

    def test_a_store_that_cannot_be_reached(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        gateway = self.start(config(self.origin, config_center={"endpoints": etcd.urls,
                                                                "timeout": "1s"}))
        documents = Documents(gateway)
        self.assert_done(documents.put("routes/a", route("/a", "1")), 201)
        etcd.members[0].kill()
        reply = documents.put("routes/a", route("/a", "2"))
        self.assert_refused(reply, 503, "config.unreachable")
        self.assertTrue(reply.header("retry-after"))
        self.assertEqual(documents.get("routes/a").status, 200)
        self.says("/a", "1", gateway)

    def test_where_signatures_are_needed_the_writer_brings_them(self):
        etcd = Etcd()
        self.addCleanup(etcd.stop)
        folder = tempfile.TemporaryDirectory(prefix="hangu-test-")
        self.addCleanup(folder.cleanup)
        key = pathlib.Path(folder.name, "li.key")
        self.assertEqual(run_hangu("audit", "keygen", key).returncode, 0)
        made = config(self.origin, config_center={
            "endpoints": etcd.urls, "trusted_keys": [f"{key}.pub"]})
        gateway = self.start(made)
        documents = Documents(gateway)
        problem = self.assert_refused(documents.put("routes/a", route("/a", "1")), 403,
                                      "config.unsigned")
        self.assertIn("sign", problem["detail"])
        # `hangu config push` signs; what it wrote is what a client would send.
        element = {"name": "a", **route("/a", "signed")}
        pathlib.Path(folder.name, "a.yaml").write_text(json.dumps({"routes": [element]}), "utf-8")
        pushed = run_hangu("config", "push", f"{folder.name}/a.yaml", "--key", key, "--config",
                           gateway.config_path)
        self.assertEqual(pushed.returncode, 0, pushed.stderr)
        signed = etcd.get("/hangu/config/routes/a")
        eventually(lambda: documents.get("routes/a").status == 200, "it is here")
        self.assert_done(documents.put("routes/a", signed), 200)
        etcd.delete("/hangu/config/", prefix=True)
        self.assert_refused(documents.put("routes/b", signed), 403, "config.unsigned")
        self.assert_refused(documents.put("routes/a", signed.replace("signed", "forged")), 403,
                            "config.unsigned")
        self.assert_done(documents.put("routes/a", signed), 201, 202)
        self.assertEqual(etcd.get("/hangu/config/routes/a"), signed)
        self.assert_refused(documents.delete("routes/a"), 403, "config.unsigned")
