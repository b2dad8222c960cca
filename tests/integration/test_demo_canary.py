"""What `make demo-canary` runs does what it says."""

import pathlib
import shutil
import subprocess
import sys
import unittest

from support.gateway import BINARY
from support.wait import DEADLINE

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "demo-canary"


class DemoCanary(unittest.TestCase):
    def test_good_and_bad_release(self):
        done = subprocess.run([sys.executable, "-B", SCRIPT, "--hangu",
                               shutil.which(BINARY) or BINARY], capture_output=True, text=True,
                              check=False, timeout=DEADLINE * 6, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        good, bad = done.stdout.split("A bad release")
        self.assertIn("complete", good)
        self.assertIn("east-2: curl", good)
        self.assertIn("->  orders v2", good)
        self.assertRegex(bad, r"rolled_back: \d+\.\d\d % of \d+ requests fail, 0\.00 % without it")
        self.assertEqual(bad.count("->  orders v2"), 2)
        self.assertNotIn("->  orders v3", bad)


if __name__ == "__main__":
    unittest.main()
