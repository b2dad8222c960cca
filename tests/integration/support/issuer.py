"""Issuer: an identity provider. It has keys (made by the openssl command), serves them over HTTP,
signs tokens, rotates, and can be told to die."""

import base64
import hashlib
import hmac
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

from support.origin import Origin


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def run_openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                          input=data, timeout=60).stdout


def read_pair(der):
    """r and s of an ECDSA signature, 32 bytes each."""
    numbers, at = [], 2
    for _ in range(2):
        size = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + size], "big"))
        at += 2 + size
    return b"".join(number.to_bytes(32, "big") for number in numbers)


class Key:
    """One key pair: "ec" (ES256) or "rsa" (RS256)."""

    def __init__(self, folder, kid, kind="ec"):
        self.kid, self.kind, self.path = kid, kind, folder / f"{kid}-{time.monotonic_ns()}.pem"
        options = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                   "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}[kind]
        run_openssl("genpkey", "-algorithm", *options, "-out", self.path)

    def jwk(self):
        der = run_openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if self.kind == "ec":
            x, y = der[-64:-32], der[-32:]
            return {"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": encode(x),
                    "y": encode(y)}
        modulus = run_openssl("rsa", "-in", self.path, "-modulus", "-noout").decode().strip()
        return {"kty": "RSA", "kid": self.kid, "alg": "RS256", "e": "AQAB",
                "n": encode(bytes.fromhex(modulus.partition("=")[2]))}

    def sign(self, payload, header=None):
        algorithm = {"ec": "ES256", "rsa": "RS256"}[self.kind]
        head = {"alg": algorithm, "kid": self.kid, **(header or {})}
        text = f"{encode(json.dumps(head).encode())}.{encode(json.dumps(payload).encode())}"
        signature = run_openssl("dgst", "-sha256", "-sign", self.path, data=text.encode())
        return f"{text}.{encode(read_pair(signature) if self.kind == 'ec' else signature)}"


def sign_with_secret(secret, payload, algorithm="HS256"):
    text = (f"{encode(json.dumps({'alg': algorithm}).encode())}."
            f"{encode(json.dumps(payload).encode())}")
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return f"{text}.{encode(hmac.new(secret.encode(), text.encode(), digest).digest())}"


class Issuer:
    def __init__(self, kind="ec"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-issuer-"))
        self.kind = kind
        self.keys = [Key(self.folder, "k1", kind)]
        self.broken = False
        self.start()

    def start(self):
        self.server = Origin()
        self.server.on("/keys", self.serve_keys)
        self.server.on("/.well-known/openid-configuration", self.serve_metadata)

    @property
    def url(self):
        return f"http://{self.server.endpoint}"

    def serve_keys(self, exchange):
        if self.broken:
            exchange.reply(500, {}, b"")
        else:
            exchange.reply(200, {"Content-Type": "application/json"}, self.key_set())

    def serve_metadata(self, exchange):
        exchange.reply(200, {"Content-Type": "application/json"},
                       json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode())

    def key_set(self):
        return json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()

    def fetches(self):
        return sum(request.path == "/keys" for request in self.server.requests)

    def rotate(self, kid, keep=False):
        self.keys = [Key(self.folder, kid, self.kind), *(self.keys if keep else [])]

    def claims(self, **more):
        return {"iss": "https://id.example", "aud": "api", "sub": "app-1",
                "exp": int(time.time()) + 300, **more}

    def token(self, header=None, **more):
        return self.keys[0].sign(self.claims(**more), header)

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
