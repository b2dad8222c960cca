"""Rate limits that several gateways share through a store, and what becomes of them without it."""

import json
import tempfile
import threading
import time
import unittest

from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.redis import Redis, tls_redis
from support.wait import eventually, run_threads
from support.websocket import WebSocket, echo_script


class ClusterCase(GatewayCase):
    redis_options = ()

    def setUp(self):
        super().setUp()
        self.redis = Redis(*self.redis_options)
        self.addCleanup(self.redis.stop)

    def config_of(self, *limits, store=None, **others):
        names = [limit["name"] for limit in limits]
        # Slow machines are no errors here.
        store = {"name": "shared", "url": self.redis.url, "timeout": "5s", **(store or {})}
        return make_config(self.origin, stores=[store], rate_limits=list(limits),
                           route={"rate_limits": names}, **others)

    def begin(self, *limits, **options):
        gateway = self.start(self.config_of(*limits, **options))
        self.wait_for(gateway, True)
        return gateway

    def wait_for(self, gateway, up):
        eventually(lambda: gateway.status()["stores"][0]["up"] == up, f"the store is up: {up}")

    def statuses(self, gateway, count, path="/", headers=None):
        client = gateway.client()
        return [client.request("GET", path, headers or {}).status for _ in range(count)]


def limit(name="shared-limit", rate="1/h", mode="strict", **keys):
    cluster = {"store": "shared", "mode": mode}
    if "on_store_error" in keys:
        cluster["on_store_error"] = keys.pop("on_store_error")
    return {"name": name, "rate": rate, "scope": "cluster", "cluster": cluster, **keys}


class Strict(ClusterCase):
    def test_two_gateways_share_a_limit_exactly(self):
        gateways = [self.begin(limit(burst=60, key=["route"])) for _ in range(2)]
        statuses = []
        run_threads(8, lambda i: statuses.extend(self.statuses(gateways[i % 2], 10)))
        self.assertEqual(statuses.count(200), 60)
        self.assertEqual(statuses.count(429), 20)
        status = gateways[0].status()
        self.assertGreaterEqual(status["stores"][0]["asked"], 1)
        allowed = sum(gateway.status()["rate_limits"][0]["allowed"] for gateway in gateways)
        self.assertEqual(allowed, 60)

    def test_refused(self):
        gateway = self.begin(limit(rate="30/m", burst=1, headers="both"))
        began = time.monotonic()
        self.assertEqual(self.statuses(gateway, 1), [200])
        response = gateway.client().request("GET", "/")
        self.assert_problem(response, 429, "rate_limit.exceeded")
        wait = int(response.header("retry-after"))
        self.assertLessEqual(wait, 2)
        self.assertGreaterEqual(wait, 2 - (time.monotonic() - began))
        self.assertEqual(response.header("x-ratelimit-remaining"), "0")
        eventually(lambda: self.statuses(gateway, 1) == [200], "2 s are over")

    def test_remaining_is_that_of_the_store(self):
        one, other = (self.begin(limit(burst=10, headers="legacy", headers_on="all",
                                       key=["route"])) for _ in range(2))
        self.statuses(one, 3)
        response = other.client().request("GET", "/")
        self.assertEqual(response.header("x-ratelimit-remaining"), "6")

    def test_who_has_to_wait_is_not_asked_for_again(self):
        gateway = self.begin(limit(burst=1), workers=1)
        self.assertEqual(self.statuses(gateway, 2), [200, 429])
        asked = gateway.status()["stores"][0]["asked"]
        self.assertEqual(self.statuses(gateway, 20), [429] * 20)
        self.assertEqual(gateway.status()["stores"][0]["asked"], asked)

    def test_one_that_is_refused_counts_in_none(self):
        gateway = self.begin({"name": "own", "rate": "1/h", "burst": 3, "key": ["route"]},
                             limit("wide", burst=3, key=["route"]),
                             limit("narrow", burst=1, key=["header:x"]))
        self.assertEqual(self.statuses(gateway, 5, headers={"x": "1"}), [200] + [429] * 4)
        self.assertEqual(self.statuses(gateway, 1, headers={"x": "2"}), [200])
        self.assertEqual(self.statuses(gateway, 1, headers={"x": "3"}), [200])
        self.assertEqual(self.statuses(gateway, 1, headers={"x": "4"}), [429])

    def test_shadow_refuses_nothing(self):
        shadow = limit("shadow", burst=1, key=["route"])
        shadow["mode"] = "shadow"
        gateway = self.begin(shadow, limit("real", burst=3, key=["route"]))
        self.assertEqual(self.statuses(gateway, 4), [200] * 3 + [429])
        name = 'hangu_rate_limit_requests_total{rate_limit="shadow",decision="shadow_rejected"}'
        self.assertGreaterEqual(gateway.metrics()[name], 2)

    def test_bodies_wait_too(self):
        gateway = self.begin(limit(burst=2))
        client = gateway.client()
        for expected in (200, 200, 429, 429):
            response = client.request("POST", "/", {}, b"x" * 300_000)
            self.assertEqual(response.status, expected)
            if expected == 200:
                self.assertEqual(response.json()["body_bytes"], 300_000)
            else:
                client = gateway.client()

    def test_tunnels_and_http2_wait_too(self):
        self.origin.on("/ws", echo_script)
        gateway = self.begin(limit(burst=3, key=["route"]))
        websockets = [WebSocket(gateway.client()) for _ in range(2)]
        for websocket in websockets:
            self.assertEqual(websocket.open().status, 101)
            self.assertEqual(websocket.echo(b"hello"), b"hello")
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        self.assertEqual([client.request("GET", "/").status for _ in range(3)], [200, 429, 429])
        self.assertEqual(websockets[0].echo(b"again"), b"again")
        for websocket in websockets:
            websocket.client.close()
        eventually(lambda: gateway.active_requests() == 0, "the tunnels have ended")

    def test_clients_that_leave_while_they_wait(self):
        gateway = self.begin(limit(burst=1000), store={"timeout": "2s"})
        self.redis.pause()
        for _ in range(20):
            client = gateway.client()
            client.send_request("GET", "/")
            client.close()
        eventually(lambda: gateway.active_requests() == 0, "all have left")
        self.redis.go_on()
        self.wait_for(gateway, True)
        eventually(lambda: self.statuses(gateway, 1) == [200], "it serves")


class WithoutStore(ClusterCase):
    def kill_store(self, gateway):
        self.redis.kill()
        self.wait_for(gateway, False)

    def test_local_goes_on_limiting(self):
        for mode in ("strict", "sync"):
            with self.subTest(mode):
                gateway = self.begin(limit(burst=5, mode=mode, key=["route"]))
                self.assertEqual(self.statuses(gateway, 2), [200, 200])
                self.kill_store(gateway)
                # What it knew of the store's count still counts.
                self.assertEqual(self.statuses(gateway, 6), [200] * 3 + [429] * 3)
                name = 'hangu_rate_limit_without_store_total{rate_limit="shared-limit"}'
                self.assertGreaterEqual(gateway.metrics()[name], 6)
                self.redis.start()
                self.wait_for(gateway, True)

    def test_allow_lets_pass(self):
        for mode in ("strict", "sync"):
            with self.subTest(mode):
                gateway = self.begin(limit(burst=1, mode=mode, on_store_error="allow"))
                self.assertEqual(self.statuses(gateway, 2), [200, 429])
                self.kill_store(gateway)
                self.assertEqual(self.statuses(gateway, 3), [200] * 3)
                self.redis.start()
                self.wait_for(gateway, True)

    def test_deny_refuses_and_says_why(self):
        for mode in ("strict", "sync"):
            with self.subTest(mode):
                gateway = self.begin(limit(burst=9, mode=mode, on_store_error="deny"))
                self.assertEqual(self.statuses(gateway, 1), [200])
                self.kill_store(gateway)
                self.assert_problem(gateway.client().request("GET", "/"), 503, "rate_limit.store")
                self.redis.start()
                self.wait_for(gateway, True)
                self.assertEqual(self.statuses(gateway, 1), [200])

    def test_a_store_that_hangs(self):
        gateway = self.begin(limit(burst=3, on_store_error="deny"), store={"timeout": "30ms"})
        self.redis.pause()
        # The first ones wait until their time is over; then the store counts as gone.
        self.assertEqual(self.statuses(gateway, 2), [503, 503])
        self.wait_for(gateway, False)
        self.assertEqual(self.statuses(gateway, 2), [503, 503])
        self.redis.go_on()
        self.wait_for(gateway, True)
        self.assertGreaterEqual(gateway.metrics()['hangu_store_late_total{store="shared"}'], 1)

    def test_it_says_so_once_and_comes_back(self):
        gateway = self.begin(limit(burst=1000))
        for _ in range(2):
            self.kill_store(gateway)
            self.assertTrue(gateway.status()["stores"][0]["reason"])
            self.redis.start()
            self.wait_for(gateway, True)
            self.assertEqual(self.statuses(gateway, 1), [200])
        lines = [line for line in gateway.stderr.splitlines() if "event=store_" in line]
        self.assertEqual(sum("store_up" in line for line in lines), 3, lines)
        self.assertEqual(sum("store_down" in line for line in lines), 2, lines)
        self.assertEqual(gateway.metrics()['hangu_store_up{store="shared"}'], 1)

    def test_it_starts_without_one(self):
        self.redis.kill()
        gateway = self.start(self.config_of(limit(burst=1)))
        self.assertEqual(self.statuses(gateway, 2), [200, 429])
        self.redis.start()
        self.wait_for(gateway, True)

    def test_scripts_that_were_forgotten(self):
        gateway = self.begin(limit(burst=1000))
        self.redis.command("SCRIPT", "FLUSH")
        self.statuses(gateway, 1)
        eventually(lambda: gateway.status()["stores"][0]["connects"] == 2, "it connected anew")
        self.wait_for(gateway, True)
        self.assertEqual(self.statuses(gateway, 1), [200])


class Sync(ClusterCase):
    def test_nodes_hear_of_each_other(self):
        gateways = [self.begin(limit(burst=20, mode="sync", key=["route"]),
                               store={"sync_interval": "20ms"}) for _ in range(2)]
        self.assertEqual(self.statuses(gateways[0], 20), [200] * 20)
        # One knows nothing yet of what the other has counted, but after its first exchange.
        eventually(lambda: self.statuses(gateways[1], 1) == [429], "it has heard")

    def test_the_overshoot_is_bounded(self):
        gateways = [self.begin(limit(burst=50, mode="sync", key=["route"]),
                               store={"sync_interval": "50ms"}) for _ in range(3)]
        statuses = []
        run_threads(9, lambda i: statuses.extend(self.statuses(gateways[i % 3], 60)))
        passed = statuses.count(200)
        self.assertGreaterEqual(passed, 50)
        self.assertLessEqual(passed, 150)  # nodes × burst
        # The debt is remembered: nobody gets anything until it is paid.
        eventually(lambda: all(self.statuses(each, 1) == [429] for each in gateways), "all know")

    def test_bytes_count_in_all_nodes(self):
        gateways = [self.begin(limit(rate="1KiB/h", burst=1000, mode="sync", key=["route"],
                                     cost="response_bytes"),
                               store={"sync_interval": "20ms"}) for _ in range(2)]
        self.origin.on("/big", lambda exchange: exchange.reply(200, {}, b"x" * 5000))
        self.assertEqual(self.statuses(gateways[0], 1, "/big"), [200])
        eventually(lambda: self.statuses(gateways[0], 1, "/big") == [429], "it has counted")
        self.assertEqual(self.statuses(gateways[1], 1, "/big"), [200])
        eventually(lambda: self.statuses(gateways[1], 1, "/big") == [429], "it has heard")


class Configs(ClusterCase):
    def test_limits_that_wait_share_a_store(self):
        config = self.config_of(limit("a"), limit("b"))
        config["stores"].append({"name": "other", "url": "redis://127.0.0.1"})
        config["rate_limits"][1]["cluster"]["store"] = "other"
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            done = run_hangu("check", file.name)
        self.assertEqual(done.returncode, 3)
        self.assertIn("share a store", done.stderr + done.stdout)


class Secured(ClusterCase):
    redis_options = ("--requirepass", "open sesame")

    def test_a_password(self):
        gateway = self.begin(limit(burst=1), store={"password": "open sesame"})
        self.assertEqual(self.statuses(gateway, 2), [200, 429])

    def test_a_wrong_password(self):
        gateway = self.start(self.config_of(limit(burst=1), store={"password": "wrong"}))
        eventually(lambda: "WRONGPASS" in gateway.status()["stores"][0]["reason"], "it says why")
        self.assertNotIn("wrong\"", gateway.stderr)


class EncryptedCase(ClusterCase):
    client_certificates = False

    def setUp(self):
        super().setUp()
        self.redis.stop()
        self.ca = Authority()
        self.addCleanup(self.ca.remove)
        self.ours = self.ca.issue(["DNS:gateway.example"])
        self.serve(self.ca.issue(["DNS:store.example"]))

    def serve(self, pair):
        self.redis = tls_redis(self.ca, pair, self.ours, self.client_certificates)
        self.addCleanup(self.redis.stop)

    def begin_tls(self, **tls):
        """None: without that key."""
        tls = {"ca": self.ca.cert, "server_name": "store.example", **tls}
        store = {"tls": {key: value for key, value in tls.items() if value is not None}}
        return self.start(self.config_of(limit(burst=2, key=["route"]), store=store))

    def wait_for_reason(self, gateway, *reasons):
        """It is down, and says one of these."""
        def said():
            store = gateway.status()["stores"][0]
            return not store["up"] and any(reason in store["reason"] for reason in reasons)
        try:
            eventually(said, f"the store is down: {reasons}")
        except AssertionError as error:
            raise AssertionError(gateway.status()["stores"]) from error


class Encrypted(EncryptedCase):
    """A store over TLS: who it is must be certain before it hears a word."""

    def test_limits_count_in_it(self):
        gateways = [self.begin_tls() for _ in range(2)]
        for gateway in gateways:
            self.wait_for(gateway, True)
        self.assertEqual(self.statuses(gateways[0], 2), [200, 200])
        self.assertEqual(self.statuses(gateways[1], 1), [429])
        # Plaintext is not understood there, so this was none.
        plain = self.start(self.config_of(limit(burst=2)))
        eventually(lambda: plain.status()["stores"][0]["reason"] not in ("", "not connected yet"),
                   "no plaintext")

    def test_it_comes_back(self):
        gateway = self.begin_tls()
        self.wait_for(gateway, True)
        self.redis.kill()
        self.wait_for(gateway, False)
        self.redis.start()
        self.wait_for(gateway, True)
        self.assertEqual(self.statuses(gateway, 1), [200])

    def test_an_unknown_issuer_is_refused(self):
        stranger = Authority("stranger")
        self.addCleanup(stranger.remove)
        gateway = self.begin_tls(ca=stranger.cert)
        self.wait_for_reason(gateway, "TLS: unable to get local issuer certificate",
                             "TLS: self-signed certificate in certificate chain")
        self.assertEqual(gateway.status()["stores"][0]["connects"], 0)
        self.assertIn("event=store_down store=shared", gateway.stderr)
        self.assertIn('reason="TLS: ', gateway.stderr)
        text = run_hangu("status", "--socket", gateway.socket).stdout
        self.assertIn("down: TLS: ", text)
        # Nor is the system's list of issuers good for it, but switched off all is.
        self.wait_for_reason(self.begin_tls(ca=None), "TLS: ")
        self.wait_for(self.begin_tls(ca=stranger.cert, verify=False), True)

    def test_another_name_is_refused(self):
        self.wait_for_reason(self.begin_tls(server_name="other.example"), "TLS: hostname mismatch")
        # Without `server_name` it must have the address of the URL.
        self.wait_for_reason(self.begin_tls(server_name=None), "TLS: IP address mismatch")
        self.redis.stop()
        self.serve(self.ca.issue(["IP:127.0.0.1"]))
        self.wait_for(self.begin_tls(server_name=None), True)

    def test_a_server_without_tls(self):
        self.redis.stop()
        self.redis = Redis()
        self.addCleanup(self.redis.stop)
        self.wait_for_reason(self.begin_tls(), "does it speak TLS there?")

    def test_files_that_are_no_good(self):
        config = self.config_of(limit(), store={"tls": {"ca": "/nowhere.pem"}})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            done = run_hangu("check", file.name)
        self.assertEqual(done.returncode, 3)
        self.assertIn("store shared: /nowhere.pem", done.stderr + done.stdout)


class EncryptedBothWays(EncryptedCase):
    client_certificates = True

    def test_the_server_wants_ours(self):
        gateway = self.begin_tls(**self.ours.files)
        self.wait_for(gateway, True)
        self.assertEqual(self.statuses(gateway, 3), [200, 200, 429])

    def test_without_ours(self):
        gateway = self.begin_tls()
        self.wait_for_reason(gateway, "certificate required", "Connection reset")


class Reloads(ClusterCase):
    def test_another_store(self):
        config = self.config_of(limit(burst=2, key=["route"]))
        gateway = self.start(config)
        self.wait_for(gateway, True)
        self.assertEqual(self.statuses(gateway, 3), [200, 200, 429])
        other = Redis()
        self.addCleanup(other.stop)
        config["stores"][0]["url"] = other.url
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.wait_for(gateway, True)
        self.assertEqual(gateway.status()["stores"][0]["address"], f"127.0.0.1:{other.port}")
        stop = threading.Event()
        self.redis.kill()
        stop.wait(0.1)
        self.assertTrue(gateway.status()["stores"][0]["up"])
        self.assertEqual(gateway.metrics()['hangu_store_up{store="shared"}'], 1)

    def test_without_it(self):
        gateway = self.begin(limit(burst=2, key=["route"]))
        self.assertEqual(gateway.reload(make_config(self.origin)).returncode, 0)
        eventually(lambda: not any("hangu_store" in name for name in gateway.metrics()),
                   "nothing tells of a store that is none any more")


if __name__ == "__main__":
    unittest.main()
