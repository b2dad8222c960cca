"""TLS towards clients and upstreams."""

import contextlib
import hashlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.origin import bound
from support.wait import DEADLINE, eventually, run_threads


def client_context(authority=None, pair=None, alpn=("http/1.1",), version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        context.load_verify_locations(authority.cert)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if pair:
        context.load_cert_chain(pair.cert, pair.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


class TlsCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.pair = cls.ca.issue(["DNS:test.example", "DNS:*.wild.example"])
        super().setUpClass()

    @classmethod
    def listener_config(cls):
        return {"tls": {"certificates": [cls.pair.files]}}

    @classmethod
    def config(cls, origin):
        return make_config(origin, listener=cls.listener_config(), route={"body_max": "1GiB"})

    def tls(self, gateway=None, context=None, server_name="test.example", session=None):
        return (gateway or self.gateway).client(tls=context or client_context(self.ca),
                                                server_name=server_name, session=session)

    def h2(self):
        context = client_context(self.ca, alpn=("h2", "http/1.1"))
        client = Http2Client(None, sock=context.wrap_socket(
            socket.create_connection(self.gateway.listener()), server_hostname="test.example"))
        self.addCleanup(client.close)
        return client

    def refused(self, gateway, context, server_name="test.example"):
        """The handshake fails, or the first use after it (TLS 1.3 clients are done early)."""
        try:
            client = self.tls(gateway, context, server_name)
            client.request("GET", "/")
        except (ssl.SSLError, OSError, AssertionError) as error:
            return error
        raise AssertionError("the handshake was accepted")


class Messages(TlsCase):
    def test_get(self):
        client = self.tls()
        for _ in range(3):
            seen = client.request("GET", "/").json()
        self.assertEqual(dict((n.lower(), v) for n, v in seen["fields"])["x-forwarded-proto"],
                         "https")
        self.assertEqual(client.wire.socket.version(), "TLSv1.3")

    def test_large_both_ways(self):
        size = 6 * 1024 * 1024
        self.origin.on("/big", lambda exchange: exchange.reply_bytes(size))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = self.tls(context=client_context(self.ca, version=version))
            body = os.urandom(size)
            seen = client.request("POST", "/", body=body).json()
            self.assertEqual(seen["digest"], hashlib.sha256(body).hexdigest())
            response = client.request("GET", "/big")
            self.assertEqual(response.body, (bytes(range(256)) * 1024) * (size >> 18))

    def test_http2(self):
        client = self.h2()
        self.assertEqual(client.socket.selected_alpn_protocol(), "h2")
        response = client.request("POST", "/", (), b"x" * 100_000, scheme="https")
        self.assertEqual(json.loads(response.body)["body_bytes"], 100_000)

    def test_curl_and_h2load(self):
        port = self.gateway.listener()[1]
        for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
            done = subprocess.run(
                ["curl", "-sS", option, "--cacert", self.ca.cert, "--resolve",
                 f"test.example:{port}:127.0.0.1", "-o", "/dev/null", "-w",
                 "%{http_code} %{http_version}", f"https://test.example:{port}/"],
                capture_output=True, text=True, timeout=60, check=True)
            self.assertEqual(done.stdout, f"200 {version}")
        done = subprocess.run(["h2load", "-n", "500", "-c", "4", "-m", "8",
                               f"https://127.0.0.1:{port}/"], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertIn("500 succeeded, 0 failed", done.stdout)

    def test_close_notify(self):
        """`Connection: close` ends TLS before TCP: nobody could have cut the answer off."""
        client = self.tls()
        response = client.request("GET", "/", {"Connection": "close"})
        self.assertEqual((response.status, response.closes), (200, True))
        self.assertEqual(client.wire.socket.recv(1), b"")

    def test_garbage(self):
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100,
                     os.urandom(500)):
            with socket.create_connection(self.gateway.listener(), 20) as sock:
                sock.sendall(data)
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        self.assertEqual(self.tls().request("GET", "/").status, 200)
        metrics = self.gateway.admin("GET", "/metrics").body.decode()
        self.assertRegex(metrics, r'hangu_tls_failures_total\{shard="\d",reason="[^"]+"\} [1-9]')

    def test_cut_off_in_the_middle(self):
        """The client sees that an answer is not whole when the upstream dies."""
        def script(exchange):
            exchange.head(200, {"Content-Length": "100000"})
            exchange.send(b"part")
            exchange.close()
        self.origin.on("/part", script)
        with self.assertRaises(AssertionError):
            self.tls().request("GET", "/part")


class Names(TlsCase):
    @classmethod
    def listener_config(cls):
        cls.rsa = cls.ca.issue(["DNS:test.example", "DNS:*.wild.example"], kind="rsa:2048")
        cls.other = cls.ca.issue(["DNS:other.example"])
        cls.exact = cls.ca.issue(["DNS:exact.wild.example"])
        return {"tls": {"certificates": [pair.files for pair in
                                         (cls.pair, cls.rsa, cls.other, cls.exact)]}}

    def served(self, server_name, context=None):
        context = context or client_context()
        with context.wrap_socket(socket.create_connection(self.gateway.listener()),
                                 server_hostname=server_name) as sock:
            return sock.getpeercert(binary_form=True)

    def der(self, pair):
        with open(pair.cert, encoding="ascii") as file:
            return ssl.PEM_cert_to_DER_cert(file.read())

    def test_by_name(self):
        for name, pair in (("test.example", self.pair), ("other.example", self.other),
                           ("a.wild.example", self.pair), ("exact.wild.example", self.exact),
                           ("OTHER.example", self.other), ("a.b.wild.example", self.pair),
                           ("unknown.example", self.pair), (None, self.pair)):
            with self.subTest(name):
                self.assertEqual(self.served(name), self.der(pair))

    def test_rsa_beside_ecdsa(self):
        context = client_context(version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
        self.assertEqual(self.served("test.example", context), self.der(self.rsa))
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        self.assertEqual(self.served("test.example", context), self.der(self.pair))

    def test_verified_by_a_strict_client(self):
        for name in ("test.example", "a.wild.example", "other.example"):
            client = self.tls(server_name=name)
            self.assertEqual(client.request("GET", "/").status, 200)


class Policies(TlsCase):
    def begin(self, **tls):
        return self.start(make_config(self.origin, listener={
            "tls": {"certificates": [self.pair.files], **tls}}))

    def test_versions(self):
        gateway = self.begin(policy="custom", version_min="1.3")
        self.refused(gateway, client_context(self.ca, version=ssl.TLSVersion.TLSv1_2))
        self.assertEqual(self.tls(gateway).request("GET", "/").status, 200)

    def test_old_clients(self):
        for options in (["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "AES128-SHA"]):
            port = self.gateway.listener()[1]
            command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options]
            done = subprocess.run(command, input=b"", capture_output=True, timeout=30, check=False)
            self.assertNotEqual(done.returncode, 0, options)

    def test_alpn_without_overlap(self):
        self.refused(self.gateway, client_context(self.ca, alpn=("spdy/3",)))

    def test_no_alpn_is_http1(self):
        client = self.tls(context=client_context(self.ca, alpn=None))
        self.assertEqual(client.request("GET", "/").status, 200)

    def test_resumption(self):
        """On every worker, and across a reload."""
        gateway = self.begin()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(self.ca, version=version)
            first = self.tls(gateway, context)
            first.request("GET", "/")
            session = first.wire.socket.session
            self.assertEqual(gateway.reload().returncode, 0)
            for _ in range(8):
                client = self.tls(gateway, context, session=session)
                client.request("GET", "/")
                self.assertTrue(client.wire.socket.session_reused)

    def test_ticket_rotation(self):
        gateway = self.begin(ticket_rotation="1s")
        context = client_context(self.ca, version=ssl.TLSVersion.TLSv1_2)
        first = self.tls(gateway, context)
        first.request("GET", "/")

        def forgotten():
            client = self.tls(gateway, context, session=first.wire.socket.session)
            client.request("GET", "/")
            return not client.wire.socket.session_reused
        eventually(forgotten, "a ticket of an old key is not accepted")

    def test_no_tickets(self):
        gateway = self.begin(session_tickets=False)
        context = client_context(self.ca, version=ssl.TLSVersion.TLSv1_2)
        first = self.tls(gateway, context)
        first.request("GET", "/")
        client = self.tls(gateway, context, session=first.wire.socket.session)
        self.assertFalse(client.wire.socket.session_reused)

    def test_slow_handshake(self):
        gateway = self.begin(handshake_timeout="300ms")
        with socket.create_connection(gateway.listener(), 20) as sock:
            sock.sendall(b"\x16\x03\x01")
            self.assertEqual(sock.recv(100), b"")

    def test_ocsp(self):
        gateway = self.start(make_config(self.origin, listener={"tls": {"certificates": [
            {**self.pair.files, "ocsp": self.ca.ocsp_response(self.pair)}]}}))
        port = gateway.listener()[1]
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-status",
                               "-servername", "test.example"],
                              input=b"", capture_output=True, timeout=30, check=False)
        self.assertIn(b"OCSP Response Status: successful", done.stdout)


class Clients(TlsCase):
    @classmethod
    def setUpClass(cls):
        cls.clients = Authority("clients")
        cls.addClassCleanup(cls.clients.remove)
        cls.good = cls.clients.issue(["DNS:front.example", "URI:spiffe://example/front"])
        cls.bad = cls.clients.issue(["DNS:back.example"])
        super().setUpClass()

    def begin(self, **tls):
        return self.start(make_config(self.origin, listener={
            "tls": {"certificates": [self.pair.files], "client_ca": self.clients.cert,
                    "client_auth": "require", **tls}}))

    def both_versions(self, pair):
        return [client_context(self.ca, pair, version=version)
                for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]

    def test_required(self):
        gateway = self.begin()
        stranger = self.ca.issue(["DNS:front.example"])
        for context in self.both_versions(self.good):
            self.assertEqual(self.tls(gateway, context).request("GET", "/").status, 200)
        for context in self.both_versions(None) + self.both_versions(stranger):
            self.refused(gateway, context)

    def test_logged(self):
        log = self.clients.folder / "access.log"
        gateway = self.start(make_config(
            self.origin, access_log={"path": str(log)},
            listener={"tls": {"certificates": [self.pair.files], "client_ca": self.clients.cert,
                              "client_auth": "require"}}))
        self.tls(gateway, client_context(self.ca, self.good)).request("GET", "/")
        line = json.loads(eventually(lambda: log.exists() and log.read_text(), "a line"))
        self.assertEqual((line["tls"], line["tls_server_name"], line["tls_client"]),
                         ("TLSv1.3", "test.example", "CN=front.example"))
        self.assertEqual(line["tls_client_names"],
                         "DNS:front.example, URI:spiffe://example/front")

    def test_requested(self):
        gateway = self.begin(client_auth="request")
        stranger = self.ca.issue(["DNS:front.example"])
        for context in self.both_versions(None) + self.both_versions(self.good):
            self.assertEqual(self.tls(gateway, context).request("GET", "/").status, 200)
        for context in self.both_versions(stranger):
            self.refused(gateway, context)

    def test_names(self):
        gateway = self.begin(client_names=["uri:spiffe://example/front"])
        for context in self.both_versions(self.good):
            self.assertEqual(self.tls(gateway, context).request("GET", "/").status, 200)
        for context in self.both_versions(self.bad):
            self.refused(gateway, context)

    def test_revoked(self):
        """The list is read again, and a session from before does not help."""
        crl = shutil.copy(self.clients.revoke(), self.clients.folder / "live.pem")
        gateway = self.begin(client_crl=str(crl))
        victim = self.clients.issue(["DNS:victim.example"])
        context = client_context(self.ca, victim, version=ssl.TLSVersion.TLSv1_2)
        first = self.tls(gateway, context)
        self.assertEqual(first.request("GET", "/").status, 200)
        session = first.wire.socket.session
        shutil.copy(self.clients.revoke(victim), crl)
        self.assertEqual(gateway.reload().returncode, 0)
        self.refused(gateway, context)
        with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
            self.tls(gateway, context, session=session).request("GET", "/")
        self.assertEqual(self.tls(gateway, client_context(self.ca, self.good)).request(
            "GET", "/").status, 200)


class Files(TlsCase):
    def test_changed_under_load(self):
        """A new certificate is served soon after its file changed; no connection is closed."""
        folder = self.ca.folder / "live"
        folder.mkdir(exist_ok=True)
        files = {"cert": str(folder / "cert.pem"), "key": str(folder / "key.pem")}

        def install(pair):
            for source, target in ((pair.key, files["key"]), (pair.cert, files["cert"])):
                shutil.copy(source, target + ".new")
            os.rename(files["key"] + ".new", files["key"])
            os.rename(files["cert"] + ".new", files["cert"])
        install(self.pair)
        gateway = self.start(make_config(self.origin, listener={"tls": {"certificates": [files]}}))
        kept = self.tls(gateway)
        kept.request("GET", "/")
        load = subprocess.Popen(["h2load", "-D", "6", "-c", "4", "-m", "4",
                                 f"https://127.0.0.1:{gateway.listener()[1]}/"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(load.kill)
        renewed = self.ca.issue(["DNS:test.example"])
        with open(renewed.cert, encoding="ascii") as file:
            wanted = ssl.PEM_cert_to_DER_cert(file.read())
        install(renewed)

        def served():
            with client_context().wrap_socket(socket.create_connection(gateway.listener())) as sock:
                return sock.getpeercert(binary_form=True) == wanted
        eventually(served, "the new certificate is served")
        kept.expect_alive()
        self.assertIn(" 0 failed, 0 errored, 0 timeout", load.communicate(timeout=60)[0])
        # A file that is no good leaves the one before in use, and says so.
        with open(files["cert"], "w", encoding="ascii") as file:
            file.write("nothing")
        eventually(lambda: b"certificates_not_loaded" in gateway.stderr_path.read_bytes(),
                   "the bad file is reported")
        self.assertTrue(served())
        refused = gateway.reload()
        self.assertNotEqual(refused.returncode, 0)
        self.assertTrue(served())

    def test_certs(self):
        done = run_hangu("certs", "--json", "--socket", self.gateway.socket)
        row, = json.loads(done.stdout)["certificates"]
        self.assertEqual((row["listener"], row["file"], row["subject"]),
                         ("web", self.pair.cert, "CN=test.example"))
        self.assertIn(row["days_left"], (89, 90))
        self.assertEqual(row["names"], "DNS:test.example, DNS:*.wild.example")
        text = run_hangu("certs", "--socket", self.gateway.socket).stdout
        self.assertRegex(text, r"\b(89|90) days")
        plain = self.start(make_config(self.origin))
        self.assertIn("no listener has TLS",
                      run_hangu("certs", "--socket", plain.socket).stdout)

    def test_check(self):
        other = self.ca.issue(["DNS:other.example"])
        old = self.ca.issue(["DNS:old.example"], expired=True)
        soon = self.ca.issue(["DNS:soon.example"], days=5)
        path = self.ca.folder / "check.yaml"
        for files, code, text in (
                (self.pair.files, 0, "ok"),
                ({"cert": self.pair.cert, "key": other.key}, 3, "is not the key of"),
                ({"cert": "/nowhere.pem", "key": self.pair.key}, 3, "No such file"),
                ({"cert": str(self.ca.folder), "key": self.pair.key}, 3, "Is a directory"),
                ({"cert": self.pair.key, "key": self.pair.key}, 3, "holds no certificate"),
                (old.files, 3, "has expired on 2020-02-01"),
                (soon.files, 0, "expires on ")):
            with self.subTest(text):
                path.write_text(json.dumps(make_config(
                    self.origin, listener={"tls": {"certificates": [files]}})), encoding="ascii")
                done = run_hangu("check", path)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(text, done.stdout + done.stderr)


class Floods(TlsCase):
    @classmethod
    def listener_config(cls):  # the dearest handshakes
        pair = cls.ca.issue(["DNS:test.example"], kind="rsa:4096")
        return {"tls": {"certificates": [pair.files]}}

    def test_handshakes_beside_a_connection(self):
        client = self.tls()
        stop = threading.Event()

        def flood():
            while not stop.is_set():
                try:
                    with socket.create_connection(self.gateway.listener(), 5) as sock:
                        with client_context().wrap_socket(sock):
                            pass
                except OSError:
                    pass
        threads = [threading.Thread(target=flood, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        slowest = 0
        for _ in range(100):
            begin = time.monotonic()
            self.assertEqual(client.request("GET", "/").status, 200)
            slowest = max(slowest, time.monotonic() - begin)
        stop.set()
        for thread in threads:
            thread.join(20)
        self.assertLess(slowest, 5)

    def answered_meanwhile(self, gateway, handshakes):
        """How many requests on an open connection are, while so many handshakes wait that came at
        once."""
        outgoing = ssl.MemoryBIO()
        tls = client_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="test.example")
        self.assertRaises(ssl.SSLWantReadError, tls.do_handshake)
        hello = outgoing.read()
        client = self.tls(gateway)
        self.assertEqual(client.request("GET", "/").status, 200)
        address = gateway.listener()
        with contextlib.ExitStack() as sockets:
            waiting = {sockets.enter_context(socket.create_connection(address, 5))
                       for _ in range(handshakes)}
            gateway.send_signal(signal.SIGSTOP)
            for sock in waiting:
                sock.sendall(hello)
            gateway.send_signal(signal.SIGCONT)
            end = time.monotonic() + DEADLINE
            answered = 0
            while waiting:
                self.assertEqual(client.request("GET", "/").status, 200)
                answered += 1
                waiting -= set(select.select(waiting, [], [], 0)[0])
                self.assertLess(time.monotonic(), end)
            return answered

    def test_many_handshakes_at_once(self):
        """What is open is served between the handshakes, not behind them all."""
        gateway = self.start(make_config(listener=self.listener_config(), workers=1, routes=[
            {"name": "own", "respond": {"body": "x"}}]))
        # About 70 are, or two if all handshakes go first. A stall of ours hides them: once more.
        for _ in range(3):
            answered = self.answered_meanwhile(gateway, 500)
            if answered >= 20:
                break
        self.assertGreaterEqual(answered, 20)


class EarlyData(TlsCase):
    """RFC 8470. The client is OpenSSL's: Python's has no early data."""

    @classmethod
    def listener_config(cls):
        return {"tls": {"certificates": [cls.pair.files], "early_data": True}}

    def s_client(self, text, *options, gateway=None):
        host, port = (gateway or self.gateway).listener()
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_3", "-servername",
             "test.example", "-CAfile", self.ca.cert, "-ign_eof", *options],
            input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            timeout=30)
        return done.stdout.decode(errors="replace")

    def request(self, method="GET", fields=""):
        return (f"{method} /early HTTP/1.1\r\nhost: test.example\r\n{fields}"
                "connection: close\r\n\r\n")

    def early(self, request, gateway=None):
        """What comes for a request in early data, which was taken."""
        with tempfile.TemporaryDirectory() as folder:
            session, data = pathlib.Path(folder) / "session", pathlib.Path(folder) / "data"
            data.write_text(request, encoding="ascii")
            self.s_client(self.request(), "-sess_out", session, gateway=gateway)
            text = self.s_client("", "-sess_in", session, "-early_data", data, gateway=gateway)
            self.assertIn("Reused, TLSv1.3", text)
            return text

    def note_early(self):
        seen = []
        self.origin.on("/early", lambda exchange: (
            seen.append(exchange.request.header("early-data")), exchange.reply(body=b"early")))
        self.addCleanup(self.origin.clear)
        return seen

    def test_safe(self):
        seen = self.note_early()
        self.assertIn("Early data was accepted", self.early(self.request()))
        self.assertEqual(seen, [None, "1"])

    def test_unsafe(self):
        text = self.early(self.request("POST", "content-length: 0\r\n"))
        self.assertIn("HTTP/1.1 425 ", text)
        self.assertIn("request.too_early", text)

    def test_upstream_refuses(self):
        """It may: the answer is for the client, which asks again."""
        self.origin.on("/early", lambda exchange: exchange.reply(
            425 if exchange.request.header("early-data") else 200))
        self.assertIn("HTTP/1.1 425 ", self.early(self.request()))

    def test_off(self):
        gateway = self.start(make_config(self.origin, listener={
            "tls": {"certificates": [self.pair.files]}}))
        text = self.early(self.request(), gateway)
        self.assertIn("Early data was not sent", text)

    def test_served_before_the_handshake_is_over(self):
        """The client's last message of the handshake never comes."""
        seen = self.note_early()
        with tempfile.TemporaryDirectory() as folder:
            session, data = pathlib.Path(folder) / "session", pathlib.Path(folder) / "data"
            data.write_text(self.request(), encoding="ascii")
            self.s_client(self.request(), "-sess_out", session)
            with socket.create_server(("127.0.0.1", 0)) as between:
                port = between.getsockname()[1]
                client = subprocess.Popen(
                    ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3",
                     "-servername", "test.example", "-sess_in", session, "-early_data", data],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    with between.accept()[0] as sock, \
                            socket.create_connection(self.gateway.listener(), 5) as gateway:
                        sock.settimeout(1)
                        try:
                            while True:
                                gateway.sendall(sock.recv(65536))
                        except TimeoutError:
                            pass
                        eventually(lambda: seen == [None, "1"], "it is served")
                        gateway.settimeout(5)
                        got = b""
                        while len(got) < 400:  # more than its part of the handshake: an answer
                            got += gateway.recv(65536)
                finally:
                    client.stdin.close()
                    client.kill()
                    client.wait(20)


class HostOfTheHandshake(TlsCase):
    @classmethod
    def listener_config(cls):
        return {"tls": {"certificates": [cls.pair.files], "match_host": True}}

    def test_same(self):
        client = self.tls()
        for host in ("test.example", "TEST.example:8443"):
            self.assertEqual(client.request("GET", "/", {"host": host}).status, 200, host)

    def test_other(self):
        self.assert_problem(self.tls().request("GET", "/", {"host": "a.wild.example"}), 421,
                            "host.misdirected")

    def test_no_name_in_the_handshake(self):
        client = self.tls(context=client_context(), server_name=None)
        self.assertEqual(client.request("GET", "/", {"host": "a.wild.example"}).status, 200)

    def test_http2_goes_on(self):
        client = self.h2()
        stream = client.start("GET", "/", authority="a.wild.example", scheme="https")
        self.assertEqual(client.response(stream).status, 421)
        self.assertEqual(client.request("GET", "/", scheme="https").status, 200)


class Upstreams(TlsCase):
    """The gateway as the client."""

    def secure_origin(self, pair, authority=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        if authority:
            context.load_verify_locations(authority.cert)
            context.verify_mode = ssl.CERT_REQUIRED
        return self.start_origin(tls=context)

    def ask_over_tls(self, origin, upstream=None, **tls):
        gateway = self.start(make_config(origin, upstream={
            "tls": {"ca": self.ca.cert, "server_name": "test.example", **tls}, **(upstream or {})}))
        return gateway.client().request("GET", "/")

    def test_verified(self):
        origin = self.secure_origin(self.pair)
        self.assertEqual(self.ask_over_tls(origin).status, 200)
        self.assertEqual(self.ask_over_tls(origin, server_name="a.wild.example").status, 200)

    def test_not_trusted(self):
        stranger = Authority("stranger")
        self.addCleanup(stranger.remove)
        for name, pair in (("wrong name", self.ca.issue(["DNS:other.example"])),
                           ("expired", self.ca.issue(["DNS:test.example"], expired=True)),
                           ("unknown issuer", stranger.issue(["DNS:test.example"]))):
            with self.subTest(name):
                origin = self.secure_origin(pair)
                self.assert_problem(self.ask_over_tls(origin), 502, "upstream.tls")
                self.assertEqual(origin.targets(), [])
                self.assertEqual(self.ask_over_tls(origin, verify=False).status, 200)

    def test_address(self):
        origin = self.secure_origin(self.ca.issue(["IP:127.0.0.1"]))
        gateway = self.start(make_config(origin, upstream={"tls": {"ca": self.ca.cert}}))
        self.assertEqual(gateway.client().request("GET", "/").status, 200)

    def test_client_certificate(self):
        origin = self.secure_origin(self.pair, authority=self.ca)
        ours = self.ca.issue(["DNS:gateway.example"])
        self.assertEqual(self.ask_over_tls(origin, **ours.files).status, 200)
        self.assertEqual(self.ask_over_tls(origin).status, 502)

    def test_plaintext_server(self):
        self.assert_problem(self.ask_over_tls(self.start_origin()), 502, "upstream.tls")

    def start_nghttpd(self):
        www = self.ca.folder / "www"
        www.mkdir(exist_ok=True)
        (www / "x").write_bytes(b"over h2")
        kept = bound("127.0.0.1", 0)  # nobody gets the port while no server listens there
        self.addCleanup(kept.close)
        port = kept.getsockname()[1]
        server = subprocess.Popen(["nghttpd", "-d", str(www), "--address=127.0.0.1", str(port),
                                   self.pair.key, self.pair.cert],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server, f"127.0.0.1:{port}"

    def start_to(self, endpoints, protocol):
        return self.start(make_config(self.origin, workers=1, upstream={
            "endpoints": endpoints, "protocol": protocol,
            "tls": {"ca": self.ca.cert, "server_name": "test.example"}}))

    def test_http2(self):
        _, address = self.start_nghttpd()
        gateway = self.start_to([address], "h2")
        eventually(lambda: gateway.client().request("GET", "/x").status == 200, "nghttpd is there")
        self.assertEqual(gateway.client().request("GET", "/x").body, b"over h2")

    def count(self, gateway, name):
        return gateway.metrics()[f'{name}{{upstream="origin"}}']

    def test_the_server_picks_http2(self):
        _, address = self.start_nghttpd()
        gateway = self.start_to([address], "auto")
        eventually(lambda: gateway.client().request("GET", "/x").status == 200, "nghttpd is there")
        for _ in range(5):
            self.assertEqual(gateway.client().request("GET", "/x").body, b"over h2")
        self.assertEqual(self.count(gateway, "hangu_upstream_http2_connections_total"), 1)
        self.assertEqual(self.count(gateway, "hangu_upstream_tls_handshakes_full_total"), 1)

    def test_the_server_picks_http1(self):
        """Those who wait for the first connection, which they cannot share, get one each."""
        origin = self.secure_origin(self.pair)
        gateway = self.start_to([origin.endpoint], "auto")
        statuses = []
        run_threads(30, lambda _: statuses.append(gateway.client().request("GET", "/").status))
        self.assertEqual(statuses, [200] * 30)
        self.assertEqual(self.count(gateway, "hangu_upstream_http2_connections_total"), 0)
        handshakes = sum(self.count(gateway, f"hangu_upstream_tls_handshakes_{kind}_total")
                         for kind in ("full", "resumed"))
        self.assertGreaterEqual(handshakes, 1)
        self.assertLessEqual(handshakes, 30)

    def test_servers_of_both_kinds(self):
        _, address = self.start_nghttpd()
        origin = self.secure_origin(self.pair)
        gateway = self.start_to([address, origin.endpoint], "auto")
        eventually(lambda: gateway.client().request("GET", "/x").status == 200, "nghttpd is there")
        by_http2 = [gateway.client().request("GET", "/x").body == b"over h2" for _ in range(6)]
        self.assertEqual(sum(by_http2), 3)

    def test_the_server_changes_its_mind(self):
        server, address = self.start_nghttpd()
        gateway = self.start_to([address], "auto")
        eventually(lambda: gateway.client().request("GET", "/x").status == 200, "nghttpd is there")
        server.kill()
        server.wait()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.cert, self.pair.key)
        self.start_origin(tls=context, port=int(address.rpartition(":")[2]))
        for _ in range(3):
            response = gateway.client().request("GET", "/x")
            self.assertEqual(response.status, 200)
            self.assertNotEqual(response.body, b"over h2")

    def test_failures_are_counted(self):
        origin = self.secure_origin(self.ca.issue(["DNS:other.example"]))
        gateway = self.start_to([origin.endpoint], "auto")
        self.assert_problem(gateway.client().request("GET", "/"), 502, "upstream.tls")
        sample = 'hangu_upstream_tls_failures_total{upstream="origin",reason="hostname mismatch"}'
        self.assertGreaterEqual(gateway.metrics().get(sample, 0), 1, gateway.metrics())


if __name__ == "__main__":
    unittest.main()
