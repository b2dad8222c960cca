"""The config within the Kubernetes manifest is one that hangu takes."""

import os
import pathlib
import re
import tempfile
import textwrap
import unittest

from support.gateway import run_hangu

MANIFEST = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "kubernetes.yaml"
# What the manifest gives the container.
ENVIRONMENT = {"POD_NAME": "hangu-0", "POD_INDEX": "0", "NODE_NAME": "worker-1",
               "ETCD_PASSWORD": "secret", "CACHE_KEY": "0123456789abcdef0123"}


class Kubernetes(unittest.TestCase):
    def test_config_is_valid(self):
        text = MANIFEST.read_text("utf-8")
        config = re.search(r"hangu\.yaml: \|\n((?:    .*\n)+)", text)[1]
        self.assertEqual(set(re.findall(r"\$\{(\w+)", config)), set(ENVIRONMENT))
        for name in ENVIRONMENT:
            self.assertIn(f"- name: {name}\n", text)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(textwrap.dedent(config))
            file.flush()
            done = run_hangu("check", "--strict", file.name, env={**os.environ, **ENVIRONMENT})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
