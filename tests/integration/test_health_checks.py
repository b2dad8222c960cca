"""What the gateway asks endpoints itself: HTTP, TCP and gRPC checks, in clear and over TLS."""

import pathlib
import ssl
import subprocess
import threading
import unittest

from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import make_config, run_hangu
from support.http2_origin import Http2Origin
from support.wait import eventually

PEER = str(pathlib.Path(__file__).parent / "support/grpc_peer.py")
PYTHON = "/usr/bin/python3"
QUICK = {"interval": "50ms", "no_traffic_interval": "50ms", "timeout": "2s"}


class CheckCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        """Each test has a gateway of its own."""

    def setUp(self):
        self.origins = []

    def begin(self, check, endpoints=None, workers=1, **upstream):
        config = make_config(workers=workers, upstreams=[
            {"name": "origin", "retry": {"attempts": 0},
             "endpoints": endpoints or [origin.endpoint for origin in self.origins],
             "health_check": {**QUICK, **check}, **upstream}],
            routes=[{"name": "all", "upstream": "origin"}])
        self.config_ = config
        return self.start(config)

    def start_origins(self, count=3):
        self.origins = [self.start_origin(name=f"o{i}") for i in range(count)]
        return self.origins

    def endpoints(self, gateway):
        reply = gateway.admin("GET", "/upstreams")
        return reply.json()["upstreams"][0]["endpoints"]

    def check_of(self, gateway, index=0):
        return self.endpoints(gateway)[index].get("check")

    def last(self, gateway, index=0):
        return self.endpoints(gateway)[index]["checks"][0]

    def expect(self, gateway, check, reason, index=0):
        eventually(lambda: self.check_of(gateway, index) == check and
                   reason in self.last(gateway, index)["reason"], f"{check}: {reason}")


def serve(exchange, status=200, body=b""):
    exchange.reply(status, body=body)


class HttpChecks(CheckCase):
    def served(self, gateway, count=9):
        """Which origins answer so many requests."""
        client = gateway.client()
        names = [client.request("GET", "/x").json()["origin"] for _ in range(count)]
        return set(names)

    def test_the_first_answer_decides_before_the_first_request(self):
        self.start_origins()[1].on("/healthz", lambda exchange: serve(exchange, 500))
        gateway = self.begin({"path": "/healthz"})
        self.assertEqual(self.served(gateway), {"o0", "o2"})
        self.expect(gateway, "bad", "HTTP 500", 1)
        self.expect(gateway, "good", "HTTP 200", 0)
        self.assertGreater(self.last(gateway, 1)["took_ms"], 0)
        metrics = gateway.metrics
        eventually(lambda: metrics()[
            'hangu_upstream_endpoints{upstream="origin",state="unhealthy"}'] == 1, "metric")
        name = 'hangu_upstream_health_checks_total{upstream="origin",result="bad"}'
        self.assertGreaterEqual(metrics()[name], 1)
        self.assertIn("unhealthy: HTTP 500", self.status_text(gateway))
        self.origins[1].on("/healthz", serve)
        self.expect(gateway, "good", "HTTP 200", 1)
        self.assertEqual(self.served(gateway), {"o0", "o1", "o2"})
        self.assertIn("event=endpoint_healthy", gateway.stderr)

    def status_text(self, gateway):
        return run_hangu("status", "--socket", gateway.socket).stdout

    def test_who_dies_is_left_out(self):
        self.start_origins()
        gateway = self.begin({"unhealthy": 2})
        self.assertEqual(len(self.served(gateway)), 3)
        self.origins[2].stop()
        self.expect(gateway, "bad", "no connection", 2)
        self.assertEqual(self.served(gateway), {"o0", "o1"})
        checks = self.endpoints(gateway)[2]["checks"]
        self.assertLessEqual(len(checks), 10)
        self.assertFalse(checks[0]["good"])

    def test_who_stalls_is_left_out(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.start_origins(2)[0].on("/", lambda exchange: (release.wait(30), serve(exchange)))
        gateway = self.begin({"timeout": "1s"})
        self.expect(gateway, "bad", "timeout: no answer")
        self.expect(gateway, "good", "HTTP 200", 1)
        self.assertEqual(self.served(gateway), {"o1"})

    def test_what_is_asked_and_expected(self):
        origin = self.start_origins(1)[0]
        origin.on("/ready", lambda exchange: serve(exchange, 200, b'{"status":"UP"}'))
        gateway = self.begin({"path": "/ready?full", "host": "app.example", "method": "POST",
                              "statuses": ["200-204", 418], "body": '"UP"'})
        self.expect(gateway, "good", "HTTP 200")
        request = origin.requests[0]
        self.assertEqual((request.method, request.target), ("POST", "/ready?full"))
        self.assertEqual(request.header("host"), "app.example")
        origin.on("/ready", lambda exchange: serve(exchange, 200, b'{"status":"DOWN"}'))
        self.expect(gateway, "bad", "lacks")
        origin.on("/ready", lambda exchange: serve(exchange, 418, b'"UP"'))
        self.expect(gateway, "good", "HTTP 418")
        origin.on("/ready", lambda exchange: serve(exchange, 302))
        self.expect(gateway, "bad", "HTTP 302")

    def test_head_and_no_http(self):
        origin = self.start_origins(1)[0]
        gateway = self.begin({"method": "HEAD"})
        self.expect(gateway, "good", "HTTP 200")
        origin.on("/", lambda exchange: (exchange.send(b"220 smtp\r\n\r\n"), exchange.close()))
        self.expect(gateway, "bad", "no HTTP")

    def test_another_port(self):
        self.start_origins(2)
        gateway = self.begin({"port": self.origins[1].port}, [self.origins[0].endpoint])
        self.expect(gateway, "good", "HTTP 200")
        self.assertEqual(self.origins[0].requests, [])
        self.assertTrue(self.origins[1].requests)

    def test_one_asks_for_all_workers(self):
        origin = self.start_origins(1)[0]
        gateway = self.begin({"interval": "1h", "no_traffic_interval": "1h"}, workers=4)
        self.expect(gateway, "good", "HTTP 200")
        self.assertEqual(origin.targets(), ["/"])

    def test_rarely_without_traffic(self):
        origin = self.start_origins(1)[0]
        gateway = self.begin({"path": "/check", "no_traffic_interval": "1h"})
        self.expect(gateway, "good", "HTTP 200")
        self.assertEqual(origin.targets().count("/check"), 1)
        self.served(gateway, 1)
        eventually(lambda: origin.targets().count("/check") >= 2, "asked again")

    def test_shadow(self):
        self.start_origins(2)[0].on("/bad", lambda exchange: serve(exchange, 500))
        gateway = self.begin({"path": "/bad", "mode": "shadow"})
        eventually(lambda: "event=endpoint_unhealthy_shadow" in gateway.stderr, "logged")
        self.assertEqual(self.served(gateway), {"o0", "o1"})

    def test_a_good_check_ends_an_ejection(self):
        self.start_origins(2)[0].on("/x", lambda exchange: serve(exchange, 500))
        gateway = self.begin({"path": "/healthz"}, ejection={"failures": 2, "time": "1h"})
        client = gateway.client()
        for _ in range(4):
            client.request("GET", "/x")
        eventually(lambda: "event=ejection_ended" in gateway.stderr, "it is back")
        eventually(lambda: "ejected_for_ms" not in self.endpoints(gateway)[0], "shown")

    def test_all_bad_and_panic(self):
        for origin in self.start_origins(2):
            origin.on("/healthz", lambda exchange: serve(exchange, 500))
        gateway = self.begin({"path": "/healthz"})
        self.assertEqual(self.served(gateway), {"o0", "o1"})
        level = gateway.status()["upstreams"][0]["levels"][0]
        self.assertEqual((level["panic"], level["well"], level["endpoints"]), (True, 0, 2))
        eventually(lambda: gateway.metrics()['hangu_upstream_panic{upstream="origin"}'] == 1,
                   "metric")
        eventually(lambda: "event=panic_began" in gateway.stderr, "logged")
        self.assertIn("panic: 0 of 2", self.status_text(gateway))
        self.config_["upstreams"][0]["load_balancing"] = {"panic_percent": 0}
        self.assertEqual(gateway.reload(self.config_).returncode, 0)
        response = gateway.client().request("GET", "/x")
        self.assertEqual((response.status, response.json()["code"]), (503, "upstream.none"))
        # Nothing is asked any more, nobody is unwell.
        self.config_["upstreams"][0]["health_check"] = "off"
        self.assertEqual(gateway.reload(self.config_).returncode, 0)
        self.assertEqual(self.served(gateway), {"o0", "o1"})


class OtherChecks(CheckCase):
    def tcp_origin(self, answer):
        origin = self.start_origins(1)[0]
        origin.serve_one = lambda wire, number, index: (
            wire.socket.recv(100), wire.send(answer), False)[2]
        return origin

    def test_tcp(self):
        origin = self.start_origins(1)[0]
        gateway = self.begin({"type": "tcp"})
        self.expect(gateway, "good", "connected")
        origin.stop()
        self.expect(gateway, "bad", "no connection")

    def test_tcp_with_words(self):
        self.tcp_origin(b"+PONG\r\n")
        gateway = self.begin({"type": "tcp", "send": "PING\r\n", "expect": "PONG"})
        self.expect(gateway, "good", "as expected")
        self.tcp_origin(b"-ERR\r\n")
        gateway = self.begin({"type": "tcp", "send": "PING\r\n", "expect": "PONG"})
        self.expect(gateway, "bad", "closed before")

    def test_http2(self):
        origin = Http2Origin()
        self.addCleanup(origin.stop)
        origin.on("/healthz", lambda exchange: exchange.reply(200, body=b"fine"))
        gateway = self.begin({"path": "/healthz", "body": "fine"}, [origin.endpoint],
                             protocol="h2")
        self.expect(gateway, "good", "HTTP 200")
        origin.on("/healthz", lambda exchange: exchange.reply(503))
        self.expect(gateway, "bad", "HTTP 503")
        origin.on("/healthz", lambda exchange: exchange.reset(2))
        self.expect(gateway, "bad", "reset")

    def test_grpc(self):
        origin = Http2Origin()
        self.addCleanup(origin.stop)

        def answer(message, status="0"):
            def script(exchange):
                exchange.head(200, [("content-type", "application/grpc")])
                exchange.data(b"\0\0\0\0" + bytes([len(message)]) + message)
                exchange.trailers([("grpc-status", status)])
            origin.on("/grpc.health.v1.Health/Check", script)

        answer(b"\x08\x01")
        gateway = self.begin({"type": "grpc", "service": "users"}, [origin.endpoint],
                             protocol="h2")
        self.expect(gateway, "good", "gRPC SERVING")
        self.assertEqual(origin.requests[0].body, b"\0\0\0\0\x07\x0a\x05users")
        self.assertEqual(origin.requests[0].header("te"), "trailers")
        answer(b"\x08\x02")
        self.expect(gateway, "bad", "gRPC NOT_SERVING")
        answer(b"")
        self.expect(gateway, "bad", "gRPC UNKNOWN")
        answer(b"", "12")
        self.expect(gateway, "bad", "gRPC status 12")
        answer(b"\x08\x01")
        self.expect(gateway, "good", "gRPC SERVING")

    def test_grpc_of_another_implementation(self):
        if subprocess.run([PYTHON, "-c", "import grpc"], capture_output=True, check=False,
                          timeout=60).returncode:
            self.skipTest("no python3-grpcio")
        authority = Authority()
        self.addCleanup(authority.remove)
        pair = authority.issue(["DNS:test.example"])
        for files, tls in (([], {}), ([pair.cert, pair.key],
                                      {"tls": {"ca": authority.cert,
                                               "server_name": "test.example"}})):
            server = subprocess.Popen([PYTHON, PEER, "server", *files], stdout=subprocess.PIPE,
                                      text=True)
            self.addCleanup(server.stdout.close)
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            endpoint = f"127.0.0.1:{int(server.stdout.readline())}"
            gateway = self.begin({"type": "grpc"}, [endpoint], protocol="h2", **tls)
            self.expect(gateway, "good", "gRPC SERVING")
            gateway = self.begin({"type": "grpc", "service": "down"}, [endpoint], protocol="h2",
                                 **tls)
            self.expect(gateway, "bad", "gRPC NOT_SERVING")

    def test_https(self):
        authority, other = Authority(), Authority("others")
        self.addCleanup(authority.remove)
        self.addCleanup(other.remove)
        pair = authority.issue(["DNS:test.example"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        origin = self.start_origin(tls=context)
        tls = {"ca": authority.cert, "server_name": "test.example"}
        gateway = self.begin({"path": "/healthz"}, [origin.endpoint], tls=tls)
        self.expect(gateway, "good", "HTTP 200")
        gateway = self.begin({"type": "tcp"}, [origin.endpoint], tls=tls)
        self.expect(gateway, "good", "handshake done")
        gateway = self.begin({}, [origin.endpoint], tls={**tls, "ca": other.cert})
        self.expect(gateway, "bad", "TLS: ")
        gateway = self.begin({}, [origin.endpoint], tls={**tls, "server_name": "b.example"})
        self.expect(gateway, "bad", "TLS: ")


if __name__ == "__main__":
    unittest.main()
