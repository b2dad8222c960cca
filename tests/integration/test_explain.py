"""What `hangu explain` says of a request is what becomes of it: each is asked about, then sent."""

import json
import re
import shlex
import unittest

from support.case import GatewayCase
from support.gateway import ROOT, make_config, run_hangu
from support.wait import eventually

TRUSTING = {"trusted_proxies": ["127.0.0.0/8", "10.9.0.0/16"]}


class ExplainCase(GatewayCase):
    @classmethod
    def config(cls, origin):
        def route(name, prefix, **what):
            return {"name": name, "match": {"path": {"prefix": prefix}}, **what}

        app = {"upstream": "origin"}
        config = make_config(
            origin, workers=1, listener=TRUSTING,
            rate_limits=[{"name": "counted", "rate": "1/h", "mode": "shadow"},
                         {"name": "gone", "rate": "1/h", "mode": "off"}],
            concurrency_limits=[{"name": "few", "max": 1, "mode": "shadow"}])
        config["routes"] = [
            route("old", "/old", redirect={"prefix": "/new", "status": 308},
                  response_headers={"set": {"x-was": "{path}"}}),
            route("moved", "/moved", redirect={"regex": "^/moved/([0-9]+)$", "status": 301,
                                               "substitution": "/n?id=\\1"}),
            route("closed", "/closed", respond={"status": 503, "body": "back at six\n",
                                                "content_type": "text/x-note",
                                                "retry_after": "1h"},
                  response_headers={"set": {"x-note": "{host}"}}),
            route("private", "/private", **app,
                  clients={"allow": ["10.0.0.0/8", "127.0.0.1"], "deny": ["10.6.0.0/16"]}),
            route("page", "/page", **app,
                  cors={"origins": ["https://app.example"], "methods": ["GET"],
                        "refuse_others": True}),
            route("copied", "/copied", **app,
                  mirror={"upstream": "origin", "host_suffix": "-next"}),
            route("broken", "/broken", **app, fault={"abort": {"status": 418}}),
            route("packed", "/packed", **app, compression={"codings": ["gzip"], "bytes_min": 1}),
            route("made", "/made", **app,
                  rewrite={"prefix": "/v2", "host": "{header.x-tenant}.internal"},
                  request_headers={"set": {"x-from": "{client_ip}", "x-q": "{query.q}"},
                                   "remove": ["x-secret"]},
                  response_headers={"set": {"x-to": "{upstream}"}}),
            route("shadow", "/shadow", **app, rate_limits=["counted", "gone"],
                  concurrency_limits=["few"],
                  fault={"abort": {"status": 418}, "mode": "shadow"})]
        return config

    def told(self, method, path, fields=(), peer="127.0.0.1"):
        headers = [word for name, value in dict(fields).items()
                   for word in ("-H", f"{name}: {value}")]
        done = run_hangu("explain", "--socket", self.gateway.socket, "--json", "--client", peer,
                         *headers, method, f"http://a.example{path}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def both(self, method, path, fields=()):
        """The explanation and the response, whose status and code are the same if either has."""
        told = self.told(method, path, fields)
        response = self.client().request(method, path, {"Host": "a.example", **dict(fields)})
        if "reply" in told:
            self.assertEqual(response.status, told["reply"]["status"], told)
            if response.header("content-type") == "application/problem+json":
                self.assertEqual(response.json()["code"], told["reply"]["code"])
        else:
            self.assertEqual(response.status, 200, told)
        return told, response

    @staticmethod
    def does(told, action):
        return [each["does"] for each in told["actions"] if each["action"] == action]


class Answers(ExplainCase):
    def test_redirects(self):
        for path in ("/old/a?b=c", "/old", "/moved/7?a=b", "/moved/x"):
            told, response = self.both("GET", path)
            self.assertEqual(told["reply"]["code"], "route.redirect")
            self.assertEqual(told["reply"]["location"], response.header("location"), path)
        told, response = self.both("GET", "/old/a")
        self.assertEqual(told["response_headers"]["set"], [{"name": "x-was", "value": "/old/a"}])
        self.assertEqual(response.header("x-was"), "/old/a")

    def test_own_answers(self):
        told, response = self.both("GET", "/closed/x")
        self.assertEqual(told["reply"]["code"], "route.respond")
        self.assertEqual(told["reply"]["content_type"], response.header("content-type"))
        self.assertEqual(told["reply"]["body"], response.body.decode())
        self.assertEqual(str(told["reply"]["retry_after_s"]), response.header("retry-after"))
        self.assertEqual(told["response_headers"]["set"][0]["value"], response.header("x-note"))

    def test_clients(self):
        for forwarded, entry in (("10.1.2.3", None), ("10.6.1.1", "10.6.0.0/16"),
                                 ("192.0.2.1", ""), ("10.1.2.3, 192.0.2.1", ""),
                                 ("192.0.2.1, 10.1.2.3", None), ("192.0.2.1, 10.9.0.1", ""),
                                 ("10.1.2.3, 10.6.1.1, 10.9.0.1, 10.9.0.2", "10.6.0.0/16"),
                                 ("nonsense", None)):
            with self.subTest(forwarded):
                told, response = self.both("GET", "/private", {"X-Forwarded-For": forwarded})
                if entry is None:
                    self.assertEqual((told["outcome"], response.status), ("matched", 200))
                    self.assertEqual(told["request"]["client"],
                                     self.origin.requests[-1].header("x-real-ip"))
                else:
                    self.assertEqual((told["outcome"], response.status), ("refused", 403))
                    self.assertEqual(told["reply"]["code"], "client.denied")
                    self.assertEqual(told["reply"].get("entry", ""), entry)
        told = self.told("GET", "/private", {"X-Forwarded-For": "10.1.2.3"}, peer="192.0.2.9")
        self.assertEqual((told["request"]["client"], told["outcome"]), ("192.0.2.9", "refused"))

    def test_pages_of_other_origins(self):
        wants = {"Access-Control-Request-Method": "GET"}
        for method, fields, outcome in (
                ("GET", {"Origin": "https://app.example"}, "matched"),
                ("GET", {"Origin": "http://a.example"}, "matched"),
                ("GET", {"Origin": "https://bad.example"}, "refused"),
                ("OPTIONS", {"Origin": "https://app.example", **wants}, "preflight"),
                ("OPTIONS", {"Origin": "https://bad.example", **wants}, "preflight"),
                ("OPTIONS", {"Origin": "https://app.example", **wants,
                             "Access-Control-Request-Headers": "x-odd"}, "preflight")):
            with self.subTest(fields=fields):
                told, _ = self.both(method, "/page", fields)
                self.assertEqual(told["outcome"], outcome)

    def test_what_makes_no_host(self):
        told, _ = self.both("GET", "/made", {"x-tenant": "a/b"})
        self.assertEqual((told["outcome"], told["reply"]["code"]), ("refused", "rewrite.host"))


class Forwarded(ExplainCase):
    def test_rewrites_and_edits(self):
        told, response = self.both("GET", "/made/a?q=7",
                                   {"x-tenant": "north", "x-secret": "1",
                                    "X-Forwarded-For": "1.1.1.1, 192.0.2.8, 10.9.3.3"})
        seen = self.origin.requests[-1]
        self.assertEqual((told["forwarded"]["path"], told["forwarded"]["host"]),
                         (seen.target, seen.header("host")))
        self.assertEqual(seen.header("host"), "north.internal")
        edits = told["request_headers"]
        self.assertEqual({each["name"]: each["value"] for each in edits["set"]},
                         {name: seen.header(name) for name in ("x-from", "x-q")})
        self.assertEqual((edits["remove"], seen.header("x-secret")), (["x-secret"], None))
        self.assertEqual(told["response_headers"]["set"][0]["value"], response.header("x-to"))

    def test_copies(self):
        told, _ = self.both("GET", "/copied")
        self.assertIn("100 % to origin", self.does(told, "mirror")[0])
        eventually(lambda: sorted(each.header("host") for each in self.origin.requests) ==
                   ["a.example", "a.example-next"], "the request and its copy")

    def test_faults(self):
        told = self.told("GET", "/broken")
        self.assertEqual(self.does(told, "fault"), ["answers 100 % with 418"])
        self.assertEqual(self.client().request("GET", "/broken").status, 418)

    def test_compression(self):
        told, _ = self.both("GET", "/packed")
        self.assertIn("gzip from 1", self.does(told, "compression")[0])

    def test_what_only_talks(self):
        for _ in range(3):
            told, _ = self.both("GET", "/shadow")
        self.assertEqual([(each["name"], each["mode"]) for each in told["rate_limits"]],
                         [("counted", "shadow")])
        for action in ("fault", "at once"):
            self.assertIn("(shadow: only logged)", self.does(told, action)[0])

    def test_the_text_says_the_same(self):
        done = run_hangu("explain", "--socket", self.gateway.socket, "--client", "127.0.0.1",
                         "-H", "X-Forwarded-For: 10.6.1.1", "http://a.example/private")
        self.assertRegex(done.stdout, r"client +10\.6\.1\.1 \(x-forwarded-for of a trusted proxy")
        self.assertRegex(done.stdout, r"answer +403 client\.denied: .*10\.6\.0\.0/16")
        done = run_hangu("explain", "--socket", self.gateway.socket, "http://a.example/old/x")
        self.assertRegex(done.stdout, r"location +http://a\.example/new/x\n")
        done = run_hangu("explain", "--socket", self.gateway.socket, "http://a.example/shadow")
        self.assertRegex(done.stdout, r"rate limit +counted: 1/h .*\(shadow: only logged\)\n")
        self.assertNotIn("gone", done.stdout)

    def test_what_is_no_address(self):
        done = run_hangu("explain", "--socket", self.gateway.socket, "--client", "a.example",
                         "http://a.example/")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is not the address of a client", done.stderr)


class Documents(unittest.TestCase):
    """The example of docs/traffic.md is what is printed."""

    def test_the_example(self):
        text = (ROOT / "docs/traffic.md").read_text("utf-8")
        text = text[text.index("## What becomes of a request"):text.index("## Who decided?")]
        examples = re.findall(r"^\$ hangu (explain (?:.*\\\n)*.*)\n((?:[^$`\n].*\n|\n)*)", text,
                              re.MULTILINE)
        self.assertEqual(len(examples), 3)
        for command, output in examples:
            done = run_hangu(*shlex.split(command.replace("\\\n", " ")), cwd=ROOT)
            printed = done.stdout.splitlines()
            for line in output.splitlines():
                with self.subTest(line):
                    self.assertTrue(line in printed or line.endswith(" ...") and
                                    any(each.startswith(line[:-3]) for each in printed),
                                    done.stdout)
            if output.startswith("GET"):
                self.assertEqual(len(output.splitlines()), len(printed))


if __name__ == "__main__":
    unittest.main()
