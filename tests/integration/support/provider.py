"""Provider: an OpenID Connect provider, and Browser: a client with cookies that follows redirects.
The provider has the issuer's keys, hands out codes, holds the client to PKCE and to its secret,
takes each code and (when it rotates them) each refresh token once, and can be told to misbehave."""

import base64
import hashlib
import json
import threading
import time
import urllib.parse
import uuid

from support.client import Client
from support.issuer import Issuer, encode


def query_of(target):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))


class Provider(Issuer):
    client_id = "gate:way"
    client_secret = "s e cret"

    def __init__(self, kind="ec"):
        self.lock = threading.Lock()
        self.reset()
        super().__init__(kind)

    def reset(self):
        """What it does unless told otherwise."""
        self.claims_more = {}  # of ID tokens
        self.answer_more = {}  # of answers of the token endpoint
        self.expires_in = 300
        self.refreshes = True  # gives refresh tokens
        self.refresh_id_token = True
        self.authorize_error = None
        self.token_script = None  # in place of the token endpoint
        self.codes, self.refresh_tokens, self.asked = {}, {}, []
        self.logins = 0

    def start(self):
        super().start()
        self.start_scripts()

    def start_scripts(self):
        self.server.on("/keys", self.serve_keys)
        self.server.on("/.well-known/openid-configuration", self.serve_metadata)
        self.server.on("/authorize", self.authorize)
        self.server.on("/token", self.token)

    def serve_metadata(self, exchange):
        exchange.reply(200, {"Content-Type": "application/json"}, json.dumps({
            "issuer": self.url, "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{self.url}/logout"}).encode())

    def authorize(self, exchange):
        """Everybody is logged in here already, as `self.subject`."""
        query = query_of(exchange.request.target)
        back = {"state": query["state"]}
        if self.authorize_error:
            back["error"] = self.authorize_error
        else:
            self.logins += 1
            back["code"] = f"c/{self.logins}+x"
            self.codes[back["code"]] = query
        exchange.reply(302, {"Location": query["redirect_uri"] + "?" +
                             urllib.parse.urlencode(back)})

    def id_token(self, nonce=None):
        claims = {"iss": self.url, "aud": self.client_id, "sub": "ann", "groups": ["staff"],
                  "exp": int(time.time()) + 300, "sid": "s1"}
        if nonce:
            claims["nonce"] = nonce
        claims.update(self.claims_more)
        return self.keys[0].sign({name: value for name, value in claims.items()
                                  if value is not None})

    def logout_token(self, without=(), header=None, **more):
        """That ends the sessions of ann, or one of them."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client_id, "sub": "ann", "iat": now,
                  "exp": now + 120, "jti": uuid.uuid4().hex,
                  "events": {"http://schemas.openid.net/event/backchannel-logout": {}}, **more}
        return self.keys[0].sign({name: value for name, value in claims.items()
                                  if name not in without},
                                 {"typ": "logout+jwt", **(header or {})})

    def is_client(self, exchange, form):
        authorization = exchange.request.header("authorization")
        if authorization:
            user, _, password = base64.b64decode(authorization.split()[1]).decode().partition(":")
            return (urllib.parse.unquote(user), urllib.parse.unquote(password)) == \
                (self.client_id, self.client_secret)
        return (form.get("client_id"), form.get("client_secret")) == \
            (self.client_id, self.client_secret)

    def token(self, exchange):
        form = dict(urllib.parse.parse_qsl(exchange.read_body().decode()))
        with self.lock:
            self.asked.append(form)
        if self.token_script:
            self.token_script(exchange, form)
        else:
            self.answer(exchange, form)

    def answer(self, exchange, form):
        with self.lock:
            status, answer = self.tokens_for(exchange, form)
        exchange.reply(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def tokens_for(self, exchange, form):
        if not self.is_client(exchange, form):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token":
            return self.refreshed(form)
        login = self.codes.pop(form["code"], None)
        challenge = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if login is None or login["redirect_uri"] != form["redirect_uri"] or \
                login["code_challenge_method"] != "S256" or login["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {**self.new_tokens(), "id_token": self.id_token(login["nonce"]),
                     **self.answer_more}

    def refreshed(self, form):
        if not self.refresh_tokens.pop(form["refresh_token"], None):
            return 400, {"error": "invalid_grant"}
        answer = self.new_tokens()
        if self.refresh_id_token:
            answer["id_token"] = self.id_token()
        return 200, {**answer, **self.answer_more}

    def new_tokens(self):
        number = len(self.asked)
        answer = {"access_token": f"access-{number}", "token_type": "Bearer",
                  "expires_in": self.expires_in}
        if self.refreshes:
            answer["refresh_token"] = f"refresh-{number}"
            self.refresh_tokens[answer["refresh_token"]] = True
        return answer

    def grants(self, kind):
        return [form for form in self.asked if form["grant_type"] == kind]


class Browser:
    """Asks a gateway for pages and keeps its cookies. What a real one does with cookies of one
    host: later ones replace earlier ones, `Max-Age=0` takes them away."""

    # Not with all that browsers name: a refusal is to come as a problem, and not as a page.
    PAGE = {"Accept": "text/html,*/*;q=0.8"}

    def __init__(self, connect, host="test.example", scheme="http"):
        """`connect()`: a Client."""
        self.connect, self.host, self.scheme = connect, host, scheme
        self.cookies = {}
        self.set_cookies = []  # all that were set, as they were

    def request(self, target="/", method="GET", fields=None, body=None):
        pairs = {"Host": self.host, **(self.PAGE if fields is None else fields)}
        if self.cookies:
            pairs["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self.connect().request(method, target, pairs, body)
        for field in response.headers("set-cookie"):
            self.take(field)
        return response

    def take(self, field):
        self.set_cookies.append(field)
        name, _, value = field.partition(";")[0].partition("=")
        if "Max-Age=0" in field.split("; "):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def authorize(self, provider, response):
        """Follows a redirect to the provider; returns the target that leads back."""
        location = response.header("location")
        target = location.removeprefix(provider.url)
        if target == location:
            raise AssertionError(f"{location} is not at {provider.url}")
        with Client(provider.server.address) as client:
            back = client.request("GET", target).header("location")
        prefix = f"{self.scheme}://{self.host}"
        if not back.startswith(prefix):
            raise AssertionError(f"{back} does not lead back to {prefix}")
        return back.removeprefix(prefix)

    def log_in(self, provider, target="/", expect=302):
        """From a page to the page again; returns the answer to the callback."""
        response = self.request(target)
        if response.status != 302:
            raise AssertionError((response.status, response.body))
        response = self.request(self.authorize(provider, response))
        if response.status != expect:
            raise AssertionError((response.status, response.body))
        return response
