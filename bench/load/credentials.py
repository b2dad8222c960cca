"""Credentials of clients for the load of full-chain: a token signed with ES256, one with HS256, and
an API key, each in a header field; and what the gateways need to verify them."""

import hashlib
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "integration"))
from support.issuer import Key, run_openssl, sign_with_secret  # noqa: E402

ISSUER, SHARED_ISSUER = "https://id.example.org", "https://old-id.example.org"
SECRET, API_KEY = "a-secret-of-thirty-two-characters", "hg_bench_0123456789abcdefghijklmnopqrstuv"
LIFE_SECONDS = 24 * 3600


class Credentials:
    def __init__(self, directory):
        key = Key(directory, "bench")
        now = int(time.time())
        claims = {"aud": "bench", "sub": "app", "iat": now, "exp": now + LIFE_SECONDS}
        self.fields = directory / "fields"
        self.fields.write_text("".join(f"{line}\n" for line in (
            f"Authorization: Bearer {key.sign({**claims, 'iss': ISSUER})}",
            f"Authorization: Bearer {sign_with_secret(SECRET, {**claims, 'iss': SHARED_ISSUER})}",
            f"X-Api-Key: {API_KEY}")))
        digest = hashlib.sha256(API_KEY.encode()).hexdigest()
        files = {"jwks": json.dumps({"keys": [key.jwk()]}), "secret": SECRET,
                 "public.pem": run_openssl("pkey", "-in", key.path, "-pubout").decode(),
                 "keys.map": f"{digest.upper()} app\n"}
        for name, text in files.items():
            (directory / name).write_text(text)
        self.values = {"ISSUER": ISSUER, "SHARED_ISSUER": SHARED_ISSUER, "SECRET_TEXT": SECRET,
                       "API_KEY": API_KEY, "API_KEY_DIGEST": digest, "NOW": now,
                       "JWKS": directory / "jwks", "SECRET": directory / "secret",
                       "PUBLIC_KEY": directory / "public.pem", "KEY_MAP": directory / "keys.map"}
