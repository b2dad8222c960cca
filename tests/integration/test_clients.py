"""Clients that others wrote, as people use them: node's http2 and ws, Chromium."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from support.case import GatewayCase
from support.certificates import Authority
from support.gateway import make_config
from support.json_log import records_of
from support.wait import eventually
from support.websocket import echo_script

NODE_CLIENT = pathlib.Path(__file__).resolve().parent / "support" / "node_client.js"

# Loads 30 resources, talks over a WebSocket, and sends what it saw back.
PAGE = b"""<!doctype html><title>page</title><script>
(async () => {
  const bodies = await Promise.all([...Array(30).keys()].map(
    async (i) => (await (await fetch(`/item/${i}`)).text())));
  const echoed = await new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${location.host}/ws`);
    socket.onopen = () => socket.send('hello');
    socket.onmessage = (message) => { resolve(message.data); socket.close(); };
    socket.onerror = () => resolve('error');
  });
  const protocols = performance.getEntriesByType('resource').map((e) => e.nextHopProtocol);
  const page = performance.getEntriesByType('navigation')[0].nextHopProtocol;
  await fetch('/result', {method: 'POST', body: JSON.stringify(
    {bodies, echoed, page, protocols: [...new Set(protocols)]})});
})();
</script>"""


class Clients(GatewayCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.pair = cls.ca.issue(["DNS:test.example"])
        super().setUpClass()

    @classmethod
    def config(cls, origin):
        config = make_config(origin, listener={"tls": {"certificates": [cls.pair.files]}},
                             access_log={"path": "@FOLDER@/access.log"})
        return config

    def setUp(self):
        super().setUp()
        self.origin.on("/ws", echo_script)
        self.addCleanup(self.origin.clear)
        self.port = self.gateway.listener()[1]

    def logged(self):
        return records_of(self.gateway.folder / "access.log")

    def node(self, what, scheme):
        done = subprocess.run(
            ["node", NODE_CLIENT, what, f"{scheme}://127.0.0.1:{self.port}/ws", self.ca.cert],
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_node_http2(self):
        result = self.node("http2", "https")
        self.assertEqual(result["alpn"], "h2")
        self.assertEqual(sorted((answer["path"], answer["status"], answer["bytes"])
                                for answer in result["answers"]),
                         sorted((f"/{i}", 200, i * 1000) for i in range(64)))

    def test_node_ws(self):
        self.assertEqual(self.node("ws", "wss"),
                         {"echoed": [True, True, True], "pong": True, "code": 1000})

    def test_chromium(self):
        results = []
        self.origin.on("/page", lambda exchange: exchange.reply(
            fields={"content-type": "text/html"}, body=PAGE))
        for i in range(30):
            self.origin.on(f"/item/{i}", lambda exchange, i=i: exchange.reply(
                body=str(i).encode() * 1000))
        self.origin.on("/result", lambda exchange: (
            results.append(json.loads(exchange.read_body())), exchange.reply()))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            browser = subprocess.Popen(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-dev-shm-usage", "--disable-background-networking",
                 "--ignore-certificate-errors", f"--user-data-dir={folder}",
                 f"--host-resolver-rules=MAP test.example 127.0.0.1:{self.port}",
                 "https://test.example/page"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, "HOME": folder})
            try:
                eventually(lambda: results, "the page says what it saw", 60)
            finally:
                browser.kill()
                browser.wait(20)
        self.assertEqual(results[0], {
            "bodies": [str(i) * 1000 for i in range(30)], "echoed": "hello", "page": "h2",
            "protocols": ["h2"]})
        eventually(lambda: [record["protocol"] for record in self.logged()
                            if record["path"] == "/ws" and "Chrome" in record.get("user_agent", "")]
                   == ["HTTP/2"],
                   "its WebSocket came on the HTTP/2 connection")


if __name__ == "__main__":
    unittest.main()
