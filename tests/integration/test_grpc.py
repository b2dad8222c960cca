"""gRPC by Debian's python3-grpcio on both sides, over h2c and TLS."""

import base64
import json
import pathlib
import subprocess
import tempfile
import unittest

from support.certificates import Authority
from support.gateway import make_config
from support.wait import eventually
from test_http2 import Http2Case

PEER = str(pathlib.Path(__file__).parent / "support/grpc_peer.py")
PYTHON = "/usr/bin/python3"


def have_grpc():
    return subprocess.run([PYTHON, "-c", "import grpc"], capture_output=True, check=False,
                          timeout=60).returncode == 0


@unittest.skipUnless(have_grpc(), "no python3-grpcio")
class GrpcCase(Http2Case):
    secure = False

    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.pair = cls.ca.issue(["DNS:test.example"])
        files = [cls.pair.cert, cls.pair.key] if cls.secure else []
        cls.server = subprocess.Popen([PYTHON, PEER, "server", *files], stdout=subprocess.PIPE,
                                      text=True)
        cls.addClassCleanup(cls.server.stdout.close)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.kill)
        cls.endpoint = f"127.0.0.1:{int(cls.server.stdout.readline())}"
        super().setUpClass()

    @classmethod
    def config(cls, origin):
        listener, upstream = {}, {"endpoints": [cls.endpoint], "protocol": "h2"}
        if cls.secure:
            listener["tls"] = {"certificates": [cls.pair.files]}
            upstream["tls"] = {"ca": cls.ca.cert, "server_name": "test.example"}
        return make_config(origin, listener=listener, upstream=upstream,
                           route={"timeout": "10s", "match": {"path": {"prefix": "/test.Echo"}}})

    def call(self, case, argument="", gateway=None):
        port = (gateway or self.gateway).listener()[1]
        tls = [self.ca.cert, "test.example"] if self.secure else []
        done = subprocess.run([PYTHON, PEER, "client", f"127.0.0.1:{port}", case, argument, *tls],
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)


class Calls(GrpcCase):
    def test_unary(self):
        result = self.call("unary")
        self.assertEqual(result["answer"], "echo hello")
        self.assertEqual(result["trailers"]["x-trailer"], "yes")

    def test_large(self):
        self.assertEqual(self.call("large"), {"size": 3_000_005})

    def test_streams(self):
        self.assertEqual(self.call("server_stream"), [str(i) for i in range(100)])
        self.assertEqual(self.call("client_stream"), "a+b+c")
        self.assertEqual(self.call("bidi"), [f"echo {i}" for i in range(50)])

    def test_error(self):
        """Trailers-Only passes as it is."""
        result = self.call("error", "NOT_FOUND")
        self.assertEqual((result["code"], result["details"]), ("NOT_FOUND", "as you asked"))
        self.assertEqual(result["trailers"]["x-why"], "asked")

    def test_deadline(self):
        self.assertEqual(self.call("deadline")["code"], "DEADLINE_EXCEEDED")

    def test_cancel(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "end"
            self.assertEqual(self.call("cancel", str(path)), "more")
            eventually(path.exists, "the server hears of it")


class CallsOverTls(Calls):
    secure = True


class Web(GrpcCase):
    """gRPC-Web, of which Debian has no client: the bytes by hand."""

    @classmethod
    def config(cls, origin):
        config = super().config(origin)
        config["routes"][0]["grpc_web"] = True
        return config

    @staticmethod
    def frame(message, flags=0):
        return bytes([flags]) + len(message).to_bytes(4, "big") + message

    @staticmethod
    def frames(body):
        """[(flags, message)]"""
        found = []
        while body:
            size = int.from_bytes(body[1:5], "big")
            found.append((body[0], body[5:5 + size]))
            body = body[5 + size:]
        return found

    @staticmethod
    def from_text(body):
        """Parts may be padded, each by itself."""
        return b"".join(base64.b64decode(body[at:at + 4]) for at in range(0, len(body), 4))

    def ask(self, method, message, kind="application/grpc-web+proto"):
        body = self.frame(message)
        if "text" in kind:
            body = base64.b64encode(body)
        return self.client().request("POST", f"/test.Echo/{method}",
                                     {"content-type": kind, "x-grpc-web": "1"}, body)

    def assert_ok(self, response, body, kind, messages):
        self.assertEqual((response.status, response.header("content-type")), (200, kind))
        frames = self.frames(body)
        self.assertEqual([message for flags, message in frames if flags == 0], messages)
        self.assertEqual(frames[-1][0], 0x80)
        trailers = frames[-1][1].decode().splitlines()
        self.assertIn("grpc-status: 0", [line.lower() for line in trailers])

    def test_binary(self):
        response = self.ask("Unary", b"hello")
        self.assert_ok(response, response.body, "application/grpc-web+proto", [b"echo hello"])

    def test_text(self):
        kind = "application/grpc-web-text+proto"
        for size in (0, 1, 2, 3, 4, 100_000):
            message = b"m" * size
            response = self.ask("Unary", message, kind)
            self.assert_ok(response, self.from_text(response.body), kind, [b"echo " + message])

    def test_stream(self):
        response = self.ask("ServerStream", b"5")
        self.assert_ok(response, response.body, "application/grpc-web+proto",
                       [b"%d" % i for i in range(5)])

    def test_over_http2(self):
        kind = "application/grpc-web-text"
        response = self.h2().request("POST", "/test.Echo/Unary", {"content-type": kind},
                                     base64.b64encode(self.frame(b"hello")))
        self.assertEqual(response.trailers, None)
        frames = self.frames(self.from_text(bytes(response.body)))
        self.assertEqual(frames[0], (0, b"echo hello"))
        self.assertEqual(frames[1][0], 0x80)

    def test_failed_call(self):
        response = self.ask("None", b"x")
        self.assertEqual((response.status, response.header("grpc-status")), (200, "12"))

    def test_bad_text(self):
        response = self.client().request("POST", "/test.Echo/Unary", {
            "content-type": "application/grpc-web-text"}, b"no base64!")
        self.assertEqual((response.status, response.header("grpc-status"),
                          response.header("content-type")),
                         (200, "13", "application/grpc-web-text+proto"))

    def test_local_reply(self):
        gateway = self.start(make_config(self.origin, upstream={
            "endpoints": ["127.0.0.1:1"], "protocol": "h2"}, route={"grpc_web": True}))
        response = gateway.client().request(
            "POST", "/x", {"content-type": "application/grpc-web"}, self.frame(b"x"))
        self.assertEqual((response.status, response.header("grpc-status"),
                          response.header("x-hangu-code")), (200, "14", "upstream.connect"))

    def test_plain_grpc_passes(self):
        self.assertEqual(self.call("unary")["answer"], "echo hello")


class LocalReplies(GrpcCase):
    def test_no_upstream(self):
        gateway = self.start(make_config(self.origin, upstream={
            "endpoints": ["127.0.0.1:1"], "protocol": "h2"}))
        result = self.call("wait", gateway=gateway)
        self.assertEqual(result["code"], "UNAVAILABLE")
        self.assertEqual(result["trailers"]["x-hangu-code"], "upstream.connect")

    def test_no_route(self):
        gateway = self.start(make_config(self.origin, route={"match": {"hosts": ["x.example"]}}))
        self.assertEqual(self.call("wait", gateway=gateway)["code"], "UNIMPLEMENTED")

    def test_deadline_of_the_gateway(self):
        """The upstream never answers: the gateway does, in time and in gRPC's words."""
        client = self.h2()
        fields = {"content-type": "application/grpc", "te": "trailers", "grpc-timeout": "300m",
                  "x-sleep": "5"}
        stream = client.start("POST", "/test.Echo/Unary", fields, end=False)
        client.send_data(stream, b"\0\0\0\0\1x", end=True)
        response = client.response(stream)
        self.assertEqual((response.status, response.header("grpc-status"), response.ended),
                         (200, "4", True))
        self.assertEqual(response.header("content-type"), "application/grpc")
        metrics = self.gateway.admin("GET", "/metrics").body.decode()
        self.assertRegex(metrics, r'hangu_grpc_calls_total\{shard="\d",status="4"\} [1-9]')


if __name__ == "__main__":
    unittest.main()
