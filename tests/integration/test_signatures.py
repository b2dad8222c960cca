"""Signed requests: RFC 9421, the older draft and schemes of a house's own; replays; bodies."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
from email.utils import formatdate

from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.signature_case import NEXT_SECRET, SECRET, SignatureCase, content_digest, mac
from support.wait import eventually, run_threads

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "security.md"


class Rfc9421(SignatureCase):
    def test_who_signs_passes_as_the_consumer_of_the_key(self):
        gateway = self.begin()
        client = gateway.client()
        response = client.request("GET", "/a?b=c", self.signed())
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(self.seen().header("x-consumer-name"), "app-1")
        self.assertEqual(self.seen().header("x-consumer-auth"), "signature")
        self.assertIsNone(self.seen().header("signature"))
        self.assertIsNone(self.seen().header("signature-input"))
        # The other key of the two is as good.
        fields = self.signed(key="k2", secret=NEXT_SECRET)
        self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200)
        record = self.logged(gateway, 2)[0]
        self.assertEqual((record["user"], record["auth_method"], record["credential"]),
                         ("app-1", "signature", "k1"))
        self.assertNotIn(SECRET, json.dumps(record))
        metrics = gateway.metrics()
        self.assertEqual(
            metrics['hangu_auth_requests_total{authenticator="signed",outcome="proved"}'], 2)

    def test_forward_leaves_the_signature(self):
        gateway = self.begin(auth={"forward": True})
        fields = self.signed()
        self.assertEqual(gateway.client().request("GET", "/a?b=c", fields).status, 200)
        self.assertEqual(self.seen().header("signature"), fields["Signature"])

    def test_scopes_of_the_key_count(self):
        gateway = self.begin(route={"authorization": {"allow": [{"id": "pay",
                                                                 "scopes": ["read", "pay"]}]}})
        client = gateway.client()
        self.assertEqual(client.request("GET", "/a?b=c", self.signed()).status, 200)
        fields = self.signed(key="k2", secret=NEXT_SECRET)
        self.assert_problem(client.request("GET", "/a?b=c", fields), 403, "authz.denied")

    def test_what_is_wrong_is_refused_and_said(self):
        gateway = self.begin()
        client = gateway.client()
        now = int(time.time())
        ask = client.request
        self.assert_problem(ask("GET", "/a?b=c"), 401, "auth.missing")
        self.refused(ask("GET", "/other", self.signed()), "signature")
        self.refused(ask("POST", "/a?b=c", self.signed()), "signature")
        self.refused(ask("GET", "/a?b=c", self.signed(secret=NEXT_SECRET)), "signature")
        # Nobody is told whether there is a key of that name, or was.
        self.refused(ask("GET", "/a?b=c", self.signed(key="nobody")), "signature")
        self.refused(ask("GET", "/a?b=c", self.signed(key="gone")), "signature")
        self.refused(ask("GET", "/a?b=c", self.signed(created=now - 301)), "expired")
        self.refused(ask("GET", "/a?b=c", self.signed(created=now + 360)), "not_yet_valid")
        self.refused(ask("GET", "/a?b=c", self.signed(more=f";expires={now - 1}")), "expired")
        self.refused(ask("GET", "/a?b=c", self.signed(covered=["@method", "@path"])),
                     "not_covered")
        self.refused(ask("GET", "/a?b=c", self.signed(more=';alg="ed25519"')), "algorithm")
        fields = self.signed()
        for name, value in (("Signature", "sig2=:AAAA:"), ("Signature", "sig1=AAAA"),
                            ("Signature-Input", 'sig1=("@method"'), ("Signature", "sig1=::")):
            self.refused(ask("GET", "/a?b=c", {**fields, name: value}), "malformed")
        without_created = {**fields, "Signature-Input": re.sub(r";created=\d+", "",
                                                               fields["Signature-Input"])}
        self.refused(ask("GET", "/a?b=c", without_created), "not_covered")
        self.assertEqual(self.origin.requests, [])
        metrics = gateway.metrics()
        name = 'hangu_auth_requests_total{authenticator="signed",outcome="%s"}'
        self.assertEqual(metrics[name % "unknown_key"], 2)
        self.assertEqual(metrics[name % "expired"], 2)

    def test_a_request_passes_once(self):
        gateway = self.begin()
        fields = self.signed()
        client = gateway.client()
        self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200)
        self.refused(client.request("GET", "/a?b=c", fields), "replayed")
        # On any worker, and after a reload.
        self.assertEqual(gateway.reload().returncode, 0)
        for _ in range(8):
            self.refused(gateway.client().request("GET", "/a?b=c", fields), "replayed")
        self.assertEqual(len(self.origin.requests), 1)

    def test_of_many_at_once_one_passes(self):
        gateway = self.begin()
        fields = self.signed()
        statuses = []

        def ask(_):
            statuses.append(gateway.client().request("GET", "/a?b=c", fields).status)
        run_threads(12, ask)
        self.assertLessEqual(statuses.count(200), 1)
        self.assertEqual(len(statuses), 12)
        self.assertEqual(len(self.origin.requests), statuses.count(200))

    def test_a_nonce_that_there_has_to_be_counts_once(self):
        gateway = self.begin({"replay": "nonce"})
        client = gateway.client()
        self.refused(client.request("GET", "/a?b=c", self.signed()), "nonce")
        self.assertEqual(
            client.request("GET", "/a?b=c", self.signed(more=';nonce="n1"')).status, 200)
        other = self.signed(target="/b", more=';nonce="n1"')
        self.refused(client.request("GET", "/b", other), "replayed")
        other = self.signed(target="/b", more=';nonce="n2"')
        self.assertEqual(client.request("GET", "/b", other).status, 200)

    def test_replays_pass_where_nobody_looks(self):
        gateway = self.begin({"replay": "off"})
        fields = self.signed()
        client = gateway.client()
        for _ in range(3):
            self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200)

    def test_when_no_more_can_be_remembered_nobody_passes(self):
        gateway = self.begin({"replay_entries": 1024})
        client = gateway.client()
        statuses = set()
        for i in range(3000):
            statuses.add(client.request("GET", f"/{i}", self.signed(target=f"/{i}")).status)
            if 503 in statuses:
                break
        self.assertEqual(statuses, {200, 503})
        self.assertGreaterEqual(len(self.origin.requests), 1024)
        metrics = gateway.metrics()
        self.assertEqual(
            metrics['hangu_auth_requests_total{authenticator="signed",outcome="replay_full"}'], 1)

    def test_only_the_signature_with_the_tag_counts(self):
        gateway = self.begin({"tag": "hangu"})
        client = gateway.client()
        self.assert_problem(client.request("GET", "/a?b=c", self.signed(more=';tag="other"')), 401,
                            "auth.missing")
        one = self.signed(more=';tag="other"', key="elsewhere", label="a")
        two = self.signed(more=';tag="hangu"', label="b")
        both = {name: f"{one[name]}, {two[name]}" for name in one}
        self.assertEqual(client.request("GET", "/a?b=c", both).status, 200)

    def test_over_http2(self):
        gateway = self.begin({"body_digest": True})
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        body = b"x" * 50_000
        fields = self.signed("POST", "/h2", ["@method", "@target-uri", "content-digest"],
                             {"content-digest": content_digest(body)})
        fields = {name.lower(): value for name, value in fields.items()}
        response = client.request("POST", "/h2", fields, body)
        self.assertEqual(response.status, 200)
        self.assertEqual(json.loads(response.body)["body_bytes"], len(body))
        self.assertEqual(client.request("POST", "/h2", fields, body).status, 401)


class PublicKeys(SignatureCase):
    def openssl(self, *arguments, text=b""):
        return subprocess.run(["openssl", *arguments], input=text, check=True,
                              capture_output=True, cwd=self.folder.name).stdout

    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def key(self, name, algorithm, *options):
        self.openssl("genpkey", *options, "-out", f"{name}.key")
        self.openssl("pkey", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pem")
        return {"id": name, "algorithm": algorithm,
                "public_key": f"{self.folder.name}/{name}.pem"}

    def sign(self, name, *options):
        def sign(base):
            path = pathlib.Path(self.folder.name, "base")
            path.write_text(base)
            return self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", f"{name}.key", "-in",
                                "base", *options)
        return sign

    def test_each_algorithm(self):
        pss = ("-digest", "sha512", "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt",
               "rsa_pss_saltlen:digest")
        rsa = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        keys = [self.key("ed", "ed25519", "-algorithm", "ed25519"),
                self.key("ec", "ecdsa-p256-sha256", "-algorithm", "EC", "-pkeyopt",
                         "ec_paramgen_curve:P-256"),
                self.key("pss", "rsa-pss-sha512", *rsa), self.key("v15", "rsa-v1_5-sha256", *rsa)]
        gateway = self.begin(consumers=[{"name": "app-1", "signing_keys": keys}])
        client = gateway.client()
        for name, options in (("ed", ()), ("ec", ("-digest", "sha256")), ("pss", pss),
                              ("v15", ("-digest", "sha256"))):
            def encoded(base, name=name, options=options):
                signature = self.sign(name, *options)(base)
                if name == "ec":
                    signature = self.raw_pair(signature)
                return base64.b64encode(signature).decode()
            fields = self.signed(key=name, sign=encoded)
            self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200, name)
            fields = self.signed(target="/b", key=name, sign=encoded)
            self.refused(client.request("GET", "/other", fields), "signature")

    @staticmethod
    def raw_pair(der):
        """r and s of 32 bytes each out of what OpenSSL writes."""
        size = der[3]
        r, rest = der[4:4 + size], der[4 + size:]
        s = rest[2:2 + rest[1]]
        return b"".join(part.lstrip(b"\0").rjust(32, b"\0") for part in (r, s))

    def test_a_key_of_the_wrong_kind_is_a_mistake_of_the_config(self):
        key = self.key("ed", "rsa-pss-sha512", "-algorithm", "ed25519")
        config = make_config(self.origin, consumers=[{"name": "a", "signing_keys": [key]}])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({**config, "version": 1}, file)
            file.flush()
            checked = run_hangu("check", file.name)
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn("is of no use for rsa-pss-sha512: it is no RSA key",
                      checked.stderr + checked.stdout)


class Bodies(SignatureCase):
    def signed_body(self, body, digest=None, target="/a", **options):
        return self.signed("POST", target, ["@method", "@target-uri", "content-digest"],
                           {"Content-Digest": digest or content_digest(body)}, **options)

    def setUp(self):
        super().setUp()
        self.gateway = self.begin({"body_digest": True, "body_max": "64KiB"})

    def test_the_body_that_was_signed_passes(self):
        client = self.gateway.client()
        for size in (0, 1, 5000, 65536):
            body = os.urandom(size)
            target = f"/{size}"
            response = client.request("POST", target, self.signed_body(body, target=target), body)
            self.assertEqual(response.status, 200, response.body)
            self.assertEqual(response.json()["body_bytes"], size)
        digest = content_digest(b"x", "sha-512")
        fields = self.signed_body(b"x", digest, "/512")
        self.assertEqual(client.request("POST", "/512", fields, b"x").status, 200)

    def test_of_another_body_the_upstream_gets_nothing(self):
        for body in (b"y", b"x" * 40_000 + b"y"):
            client = self.gateway.client()
            fields = self.signed_body(b"x" * len(body), target=f"/{len(body)}")
            response = client.request("POST", f"/{len(body)}", fields, body)
            self.refused(response, "digest", "auth.digest")
        self.assertEqual(self.origin.requests, [])
        record = self.logged(self.gateway, 2)[-1]
        self.assertEqual((record["filter"], record["rule"], record["auth_reason"]),
                         ("body_digest", "signed", "digest"))
        metrics = self.gateway.metrics()
        self.assertEqual(
            metrics['hangu_auth_requests_total{authenticator="signed",outcome="digest"}'], 2)

    def test_in_chunks_and_with_trailers(self):
        client = self.gateway.client()
        head = {**self.signed_body(b"hello world"), "Transfer-Encoding": "chunked"}
        client.send(client.head("POST", "/a", head) + b"5\r\nhello\r\n")
        client.send(b"6\r\n world\r\n")
        self.assertEqual(self.origin.requests, [])
        client.send(b"0\r\nX-Trailer: a\r\n\r\n")
        response = client.read_response("POST")
        self.assertEqual((response.status, response.json()["body"]), (200, "hello world"))
        head = {**self.signed_body(b"hello world", target="/b"), "Transfer-Encoding": "chunked"}
        client.send(client.head("POST", "/b", head) + b"5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n")
        self.refused(client.read_response("POST"), "digest", "auth.digest")

    def test_one_that_waits_is_told_to_go_on(self):
        client = self.gateway.client()
        fields = {**self.signed_body(b"hello"), "Expect": "100-continue", "Content-Length": "5"}
        client.send(client.head("POST", "/a", fields))
        self.assertEqual(client.read_head().status, 100)
        client.send(b"hello")
        self.assertEqual(client.read_response("POST").status, 200)
        self.assertIsNone(self.seen().header("expect"))

    def test_too_large_is_413(self):
        body = bytes(65537)
        client = self.gateway.client()
        self.assert_problem(client.request("POST", "/a", self.signed_body(body), body), 413,
                            "limit.body")
        client = self.gateway.client()
        head = {**self.signed_body(body, target="/b"), "Transfer-Encoding": "chunked"}
        client.send(client.head("POST", "/b", head))
        client.send_all_or_end(b"10001\r\n" + body + b"\r\n0\r\n\r\n")
        self.assert_problem(client.read_response("POST"), 413, "limit.body")
        self.assertEqual(self.origin.requests, [])

    def test_a_body_needs_a_digest_that_is_signed(self):
        client = self.gateway.client()
        fields = {**self.signed("POST", "/a"), "Content-Digest": content_digest(b"x")}
        self.refused(client.request("POST", "/a", fields, b"x"), "not_covered")
        fields = self.signed_body(b"x", "sha-256=:AAAA:")
        self.refused(self.gateway.client().request("POST", "/a", fields, b"x"), "digest")
        self.assertEqual(self.gateway.client().request("GET", "/a?b=c", self.signed()).status, 200)

    def test_a_client_that_leaves_halfway_leaves_nothing(self):
        client = self.gateway.client()
        fields = {**self.signed_body(b"hello"), "Content-Length": "5"}
        client.send(client.head("POST", "/a", fields) + b"he")
        eventually(lambda: self.gateway.active_requests() == 1, "the request")
        client.close()
        eventually(lambda: self.gateway.active_requests() == 0, "its end")
        self.assertEqual(self.origin.requests, [])

    def test_shadow_says_what_it_would_have_refused(self):
        gateway = self.begin({"body_digest": True},
                             route={"authentication": {"any": ["signed"], "mode": "shadow"}})
        response = gateway.client().request("POST", "/a", self.signed_body(b"x"), b"y")
        self.assertEqual(response.status, 200)
        self.assertEqual(self.logged(gateway)[0]["shadow"], "body_digest")


class OtherSchemes(SignatureCase):
    def draft(self, names, values, key="k1", secret=SECRET, algorithm="hmac-sha256", begin="",
              end="", digest="sha256", scheme="Signature", more=""):
        lines = [values[name] for name in names]
        signature = mac(begin + "\n".join(lines) + end, secret, digest)
        who = "username" if scheme == "hmac" else "keyId"
        return (f'{scheme} {who}="{key}",algorithm="{algorithm}",headers="{" ".join(names)}",'
                f'signature="{signature}"{more}')

    def test_the_older_draft(self):
        gateway = self.begin({"profile": "hmac"})
        client = gateway.client()
        date = formatdate(usegmt=True)
        values = {"(request-target)": "(request-target): get /a?b=c",
                  "@request-target": "@request-target: get /a?b=c",
                  "request-line": "GET /a?b=c HTTP/1.1",
                  "host": "host: test.example", "date": f"date: {date}"}
        for target in ("(request-target)", "@request-target", "request-line"):
            fields = {"Date": date, "Authorization": self.draft([target, "host", "date"], values)}
            self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200, target)
            self.assertIsNone(self.seen().header("authorization"))
            self.refused(client.request("GET", "/a?b=c", fields), "replayed")
        fields["Authorization"] = self.draft(["date", "host", "request-line"], values,
                                             scheme="hmac")
        self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200)
        self.assertIsNone(self.seen().header("authorization"))
        fields["Authorization"] = self.draft(["host", "request-line"], values)
        self.refused(client.request("GET", "/a?b=c", fields), "not_covered")
        fields["Authorization"] = self.draft(["date", "request-line"], values)
        self.refused(client.request("GET", "/a?b=c", fields), "not_covered")
        old = formatdate(time.time() - 400, usegmt=True)
        values["date"] = f"date: {old}"
        fields = {"Date": old, "Authorization": self.draft(["request-line", "host", "date"],
                                                           values)}
        self.refused(client.request("GET", "/a?b=c", fields), "expired")
        fields = {"Date": date, "Authorization": "Signature keyId=k1"}
        self.refused(client.request("GET", "/a?b=c", fields), "malformed")
        self.assert_problem(client.request("GET", "/", {"Authorization": "Bearer x"}), 401,
                            "auth.missing")

    def test_as_apisix_signs(self):
        gateway = self.begin({"profile": "apisix"})
        date = formatdate(usegmt=True)
        values = {"@request-target": "GET /a?b=c", "host": "host: test.example",
                  "date": f"date: {date}"}
        fields = {"Date": date, "Authorization": self.draft(["@request-target", "host", "date"],
                                                            values, begin="k1\n", end="\n")}
        self.assertEqual(gateway.client().request("GET", "/a?b=c", fields).status, 200)

    def test_macs_of_other_digests(self):
        consumers = [{"name": "a", "signing_keys": [
            {"id": "sha512", "algorithm": "hmac-sha512", "secret": SECRET},
            {"id": "sm3", "algorithm": "hmac-sm3", "secret": SECRET}]}]
        gateway = self.begin(consumers=consumers)
        client = gateway.client()
        for name in ("sha512", "sm3"):
            if name not in hashlib.algorithms_available:
                continue
            fields = self.signed(key=name, sign=lambda base, name=name: mac(base, digest=name))
            self.assertEqual(client.request("GET", "/a?b=c", fields).status, 200, name)

    def test_a_scheme_of_a_house(self):
        gateway = self.begin({
            "profile": "template", "timestamp": "milliseconds", "nonce_header": "x-nonce",
            "digest_header": "x-content-sha256", "body_digest": True, "replay": "nonce",
            "canonical": "{method}\\n{path}\\n{query.sorted}\\n{header.x-tenant}\\n{timestamp}\\n"
                         "{nonce}\\n{body_digest}".replace("\\n", "\n")})
        client = gateway.client()
        body = b'{"a": 1}'

        def fields(nonce, body=body, hexadecimal=False, tenant="t"):
            now = str(int(time.time() * 1000))
            digest = hashlib.sha256(body).hexdigest()
            text = f"POST\n/pay\na=1&b=2\n{tenant}\n{now}\n{nonce}\n{digest}"
            signature = mac(text)
            if hexadecimal:
                signature = base64.b64decode(signature).hex()
            return {"X-Tenant": "t", "X-Timestamp": now, "X-Nonce": nonce, "X-Key-Id": "k1",
                    "X-Content-Sha256": digest, "X-Signature": signature}
        ask = client.request
        self.assertEqual(ask("POST", "/pay?b=2&a=1", fields("n1"), body).status, 200)
        self.assertIsNone(self.seen().header("x-signature"))
        self.assertEqual(ask("POST", "/pay?b=2&a=1", fields("n2", hexadecimal=True), body).status,
                         200)
        self.refused(ask("POST", "/pay?b=2&a=1", fields("n1"), body), "replayed")
        self.refused(gateway.client().request("POST", "/pay?b=2&a=1", fields("n3"), b"other"),
                     "digest", "auth.digest")
        self.refused(gateway.client().request("POST", "/pay?b=2&a=1", fields("n4", tenant="u"),
                                              body), "signature")
        self.assert_problem(gateway.client().request("POST", "/pay"), 401, "auth.missing")

    def test_a_template_that_leaves_a_gap_is_a_mistake(self):
        def problems(**signature):
            config = make_config(self.origin, authenticators=[
                {"name": "s", "signature": {"profile": "template", **signature}}])
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump({**config, "version": 1}, file)
                file.flush()
                checked = run_hangu("check", file.name)
            self.assertNotEqual(checked.returncode, 0)
            return checked.stdout + checked.stderr
        self.assertIn("good for ever", problems(canonical="{method} {path} {query}"))
        self.assertIn("text between them", problems(canonical="{method}{path}"))
        self.assertIn("there is no {body}", problems(canonical="{body}"))
        self.assertIn("needs a `canonical`", problems())


class Documents(SignatureCase):
    def test_the_example_of_the_documents_works(self):
        blocks = re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL)
        script, = [block for block in blocks if "Signature-Input" in block]
        gateway = self.begin({"body_digest": True})
        host, port = gateway.listener()
        ran = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "SECRET": SECRET, "KEY": "k1",
                                  "GATEWAY": f"{host}:{port}"})
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("HTTP/1.1 200", ran.stdout, ran.stdout + ran.stderr)
        self.assertEqual(self.seen().header("x-consumer-name"), "app-1")

    def test_explain_names_the_authenticator(self):
        gateway = self.begin({"body_digest": True})
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/").stdout
        self.assertRegex(told, r"identity +by signed\n")
        self.assertRegex(told, r"body +up to 1MiB, held back until its digest is right\n")
