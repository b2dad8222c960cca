"""nginx as the upstream: a peer we did not write. Needs the nginx binary (scripts/setup test)."""

import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import DEADLINE, eventually

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 5;
  server {{
    listen unix:{folder}/nginx.sock;
    root {folder}/www;
    default_type text/plain;
    location = /moved {{ return 301 /file; }}
    location = /empty {{ return 204; }}
    location = /chunked {{ ssi on; ssi_types *; }}
    location = /text {{ return 200 "from nginx $request_method $http_x_real_ip\\n"; }}
  }}
}}
"""


class Nginx:
    """What the gateway needs to know of an origin."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-test-nginx-"))
        self.folder.chmod(0o755)  # its worker runs as another user when we are root
        self.endpoint = f"unix:{self.folder}/nginx.sock"
        (self.folder / "www").mkdir()
        self.content = os.urandom(1024 * 1024) * 4
        (self.folder / "www/file").write_bytes(self.content)
        (self.folder / "www/chunked").write_text("a" * 100_000 + "<!--# echo var='host' -->")
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder))
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-e", self.folder / "error.log", "-c", config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.listens, "nginx listens")

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended: {(self.folder / 'error.log').read_text()}")
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "nginx.sock")) == 0

    def clear(self):
        pass

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipUnless(NGINX, "nginx is not installed: scripts/setup test")
class NginxUpstream(GatewayCase):
    @classmethod
    def make_origin(cls):
        return Nginx()

    @classmethod
    def config(cls, origin):
        return make_config(origin, workers=1)

    def test_file(self):
        response = self.ask("GET", "/file")
        self.assertEqual(hashlib.sha256(response.body).digest(),
                         hashlib.sha256(self.origin.content).digest())

    def test_head(self):
        client = self.client()
        response = client.request("HEAD", "/file")
        self.assertEqual(response.header("content-length"), str(len(self.origin.content)))
        self.assertEqual(client.request("GET", "/text").status, 200)

    def test_range_and_conditions(self):
        client = self.client()
        response = client.request("GET", "/file", {"Range": "bytes=10-19"})
        self.assertEqual((response.status, response.body), (206, self.origin.content[10:20]))
        etag = response.header("etag")
        self.assertEqual(client.request("GET", "/file", {"If-None-Match": etag}).status, 304)
        self.assertEqual(client.request("GET", "/text").status, 200)

    def test_chunked(self):
        response = self.ask("GET", "/chunked")
        self.assertEqual(response.body, b"a" * 100_000 + b"test.example")
        self.assertEqual(response.framing, "chunked")

    def test_statuses(self):
        client = self.client()
        for target, status in (("/none", 404), ("/moved", 301), ("/empty", 204), ("/text", 200)):
            self.assertEqual(client.request("GET", target).status, status)

    def test_keep_alive_races(self):
        """nginx closes each connection after 5 requests: nobody may notice."""
        client = self.client()
        for number in range(200):
            self.assertEqual(client.request("GET", "/text").status, 200, number)

    def test_body_that_nginx_does_not_want(self):
        client = self.client()
        response = client.request("POST", "/text", body=b"x" * 100_000)
        self.assertEqual(response.body, b"from nginx POST 127.0.0.1\n")
        self.assertEqual(client.request("GET", "/text").status, 200)


if __name__ == "__main__":
    unittest.main()
