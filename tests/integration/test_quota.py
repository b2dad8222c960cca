"""Quotas of a day or month: counting, answers, and that a restart forgets nothing."""

import pathlib
import shutil
import tempfile
import time
import unittest

from support.case import GatewayCase
from support.gateway import Gateway, make_config
from support.wait import eventually


class QuotaCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="hangu-state-"))
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)

    def config_of(self, *limits, **others):
        return make_config(self.origin, rate_limits=list(limits), state_dir=str(self.state),
                           route={"rate_limits": [limit["name"] for limit in limits]}, **others)

    def begin(self, *limits, **others):
        gateway = Gateway(self.config_of(*limits, **others))
        self.addCleanup(gateway.kill)
        return gateway

    def statuses(self, gateway, count, path="/", headers=None):
        client = gateway.client()
        return [client.request("GET", path, headers or {}).status for _ in range(count)]


def quota(limit, name="per-tenant", per="month", **keys):
    return {"name": name, "quota": {"limit": limit, "per": per, "offset": "+08:00"},
            "key": ["header:x-tenant"], **keys}


A = {"x-tenant": "a"}
B = {"x-tenant": "b"}
KEY_BYTES = 16  # of the file


class Counting(QuotaCase):
    def test_so_many_and_no_more(self):
        gateway = self.begin(quota(3, headers="both", headers_on="all"))
        client = gateway.client()
        for left in ("2", "1", "0"):
            response = client.request("GET", "/", A)
            self.assertEqual((response.status, response.header("x-ratelimit-remaining")),
                             (200, left))
        response = client.request("GET", "/", A)
        problem = self.assert_problem(response, 429, "quota.exceeded")
        self.assertEqual(problem["violated-policies"], ["per-tenant"])
        self.assertEqual(response.header("ratelimit-policy"), '"per-tenant";q=3;w=2592000')
        self.assertEqual(self.statuses(gateway, 1, headers=B), [200])

    def test_it_ends_at_midnight_of_local_time(self):
        gateway = self.begin(quota(1, per="day"))
        self.statuses(gateway, 1, headers=A)
        response = gateway.client().request("GET", "/", A)
        left = 86400 - (time.time() + 8 * 3600) % 86400
        self.assertAlmostEqual(int(response.header("retry-after")), left, delta=120)

    def test_one_that_is_refused_counts_in_none(self):
        gateway = self.begin(quota(3), {"name": "narrow", "rate": "1/h", "burst": 1,
                                        "key": ["query:k"]})
        for path, expected in (("/?k=1", 200), ("/?k=1", 429), ("/?k=1", 429), ("/?k=2", 200),
                               ("/?k=3", 200), ("/?k=4", 429)):
            self.assertEqual(self.statuses(gateway, 1, path, A), [expected], path)

    def test_bytes(self):
        self.origin.on("/big", lambda exchange: exchange.reply(200, {}, b"x" * 600))
        gateway = self.begin(quota(1000, cost="response_bytes"))
        self.assertEqual(self.statuses(gateway, 1, "/big", A), [200])
        self.assertEqual(self.statuses(gateway, 1, "/big", A), [200])
        eventually(lambda: self.statuses(gateway, 1, "/big", A) == [429], "1200 bytes counted")


class Restarts(QuotaCase):
    def test_a_restart_forgets_nothing(self):
        gateway = self.begin(quota(5), quota(2, name="by-day", per="day", key=["header:y"],
                                             on_missing_key="skip"))
        self.assertEqual(self.statuses(gateway, 3, headers={**A, "y": "1"}), [200, 200, 429])
        self.assertEqual(self.statuses(gateway, 1, headers=A), [200])
        gateway.stop()
        gateway = self.begin(quota(5), quota(2, name="by-day", per="day", key=["header:y"],
                                             on_missing_key="skip"))
        self.assertIn("event=quotas_restored", gateway.stderr)
        self.assertEqual(self.statuses(gateway, 1, headers={**A, "y": "1"}), [429])
        self.assertEqual(self.statuses(gateway, 3, headers=A), [200, 200, 429])
        self.assertEqual(self.statuses(gateway, 1, headers=B), [200])

    def test_a_kill_loses_what_was_not_written_yet_at_most(self):
        gateway = self.begin(quota(3))
        file = self.state / "quotas"
        empty = eventually(lambda: file.exists() and file.stat().st_size, "it was written")
        self.assertEqual(self.statuses(gateway, 2, headers=A), [200, 200])
        self.assertEqual(self.statuses(gateway, 1, headers=B), [200])
        # What has the second tenant has all of the first one.
        eventually(lambda: file.stat().st_size >= empty + 2 * KEY_BYTES, "both were written")
        gateway.kill()
        gateway = self.begin(quota(3))
        self.assertEqual(self.statuses(gateway, 2, headers=A), [200, 429])

    def test_a_damaged_file_is_put_aside(self):
        gateway = self.begin(quota(1))
        self.statuses(gateway, 1, headers=A)
        gateway.stop()
        file = self.state / "quotas"
        content = bytearray(file.read_bytes())
        content[20] ^= 1
        file.write_bytes(content)
        gateway = self.begin(quota(1))
        self.assertIn("event=quotas_damaged", gateway.stderr)
        self.assertTrue((self.state / "quotas.bad").exists())
        self.assertEqual(self.statuses(gateway, 2, headers=A), [200, 429])

    def test_counts_of_another_key_are_of_no_use(self):
        gateway = self.begin(quota(1))
        self.statuses(gateway, 1, headers=A)
        gateway.stop()
        gateway = self.begin(quota(1, key=["route"]))
        self.assertEqual(self.statuses(gateway, 2, headers=A), [200, 429])

    def test_a_directory_that_cannot_be_written(self):
        gateway = self.start({**self.config_of(quota(2)), "state_dir": "/proc/none"})
        self.assertEqual(self.statuses(gateway, 3, headers=A), [200, 200, 429])
        eventually(lambda: "event=quotas_not_saved" in gateway.stderr, "it says so")

    def test_a_reload_changes_the_limit_and_keeps_the_count(self):
        config = self.config_of(quota(2))
        gateway = self.start(config)
        self.assertEqual(self.statuses(gateway, 3, headers=A), [200, 200, 429])
        config["rate_limits"][0]["quota"]["limit"] = 3
        self.assertEqual(gateway.reload(config).returncode, 0)
        self.assertEqual(self.statuses(gateway, 2, headers=A), [200, 429])


if __name__ == "__main__":
    unittest.main()
