"""SignatureCase: a gateway whose clients sign their requests."""

import base64
import hashlib
import hmac
import json
import time

from support.case import GatewayCase
from support.gateway import make_config
from support.wait import eventually

SECRET = "0123456789abcdef0123456789abcdef"
NEXT_SECRET = "fedcba9876543210fedcba9876543210"


def mac(text, secret=SECRET, digest="sha256"):
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


def content_digest(body, kind="sha-256"):
    name = kind.replace("-", "")
    return f"{kind}=:{base64.b64encode(hashlib.new(name, body).digest()).decode()}:"


class SignatureCase(GatewayCase):
    CONSUMERS = [{"name": "app-1", "groups": ["partners"], "scopes": ["read"],
                  "signing_keys": [{"id": "k1", "secret": SECRET, "scopes": ["pay"]},
                                   {"id": "k2", "secret": NEXT_SECRET},
                                   {"id": "gone", "secret": SECRET,
                                    "expires": "2020-01-01T00:00:00Z"}]}]

    def begin(self, signature=None, consumers=None, auth=None, route=None, **options):
        options = {"access_log": {"path": "@FOLDER@/access.log"}, **options}
        return self.start(make_config(
            self.origin, consumers=consumers or self.CONSUMERS,
            authenticators=[{"name": "signed", "signature": signature or "on", **(auth or {})}],
            route={"authentication": {"any": ["signed"]}, **(route or {})}, **options))

    def signed(self, method="GET", target="/a?b=c", covered=None, fields=(), sign=None, key="k1",
               secret=SECRET, created=None, more="", label="sig1", host="test.example"):
        """The fields of a request that is signed by RFC 9421, with a MAC unless `sign` does it."""
        covered = covered or ["@method", "@target-uri"]
        path, _, query = target.partition("?")
        values = {"@method": method, "@authority": host, "@path": path, "@query": f"?{query}",
                  "@target-uri": f"http://{host}{target}", "@request-target": target,
                  **{name.lower(): value for name, value in dict(fields).items()}}
        created = int(time.time()) if created is None else created
        names = " ".join(f'"{name}"' for name in covered)
        params = f'({names});created={created};keyid="{key}"{more}'
        lines = [f'"{name}": {values[name]}' for name in covered]
        base = "\n".join([*lines, f'"@signature-params": {params}'])
        signature = sign(base) if sign else mac(base, secret)
        return {**dict(fields), "Signature-Input": f"{label}={params}",
                "Signature": f"{label}=:{signature}:"}

    def refused(self, response, reason, code="auth.invalid"):
        self.assert_problem(response, 401, code)
        self.assertIn(f'error="{reason}"', response.header("www-authenticate"))

    def logged(self, gateway, count=1):
        """The records of the access log, in order."""
        path = gateway.folder / "access.log"
        eventually(lambda: path.exists() and path.read_text().count("\n") >= count, "a record")
        return [json.loads(line) for line in path.read_text().splitlines()]

    def seen(self):
        return self.origin.requests[-1]
