"""Requests that have to be as an OpenAPI description says."""

import json
import pathlib
import re
import tempfile

from support.case import GatewayCase
from support.gateway import make_config, run_hangu
from support.http2 import Http2Client
from support.wait import eventually

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "traffic.md"

DESCRIPTION = """\
openapi: 3.0.3
info: {title: users, version: "1"}
servers: [{url: https://api.example.org/v1}]
paths:
  /users:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: X-Tenant, in: header, required: true, schema: {type: string, pattern: "^[a-z]+$"}}
    post:
      operationId: add_user
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: "#/components/schemas/user"}}
          text/plain: {}
  /users/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
components:
  schemas:
    user:
      type: object
      required: [name]
      additionalProperties: false
      properties:
        name: {type: string, minLength: 1}
        age: {type: integer, minimum: 0}
        friends: {type: array, items: {$ref: "#/components/schemas/user"}}
"""

JSON = {"Content-Type": "application/json"}


class OpenApiCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, text=DESCRIPTION, name="users.yaml"):
        path = pathlib.Path(self.folder.name, name)
        path.write_text(text)
        return str(path)

    def begin(self, text=DESCRIPTION, **options):
        return self.start(make_config(
            self.origin, access_log={"path": "@FOLDER@/access.log"},
            route={"openapi": {"file": self.write(text), **options}}))

    def post(self, client, value, **fields):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return client.request("POST", "/v1/users", {**JSON, **fields}, body)

    def refused(self, response, status, *errors):
        self.assert_problem(response, status, "schema.invalid")
        if errors:
            self.assertEqual(response.json()["errors"], list(errors))


class Requests(OpenApiCase):
    def test_what_is_as_described_passes(self):
        gateway = self.begin()
        client = gateway.client()
        self.assertEqual(client.request("GET", "/v1/users?limit=5", {"X-Tenant": "a"}).status, 200)
        self.assertEqual(client.request("GET", "/v1/users/17").status, 200)
        user = {"name": "ada", "friends": [{"name": "bob", "age": 3}]}
        response = self.post(client, user)
        self.assertEqual((response.status, json.loads(response.json()["body"])), (200, user))
        response = client.request("POST", "/v1/users", {"Content-Type": "text/plain"}, b"any")
        self.assertEqual(response.json()["body"], "any")
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_route_openapi_total{route="all",outcome="passed"}'], 4)

    def test_parameters(self):
        gateway = self.begin()
        client = gateway.client()
        self.refused(client.request("GET", "/v1/users?limit=0"), 400,
                     {"in": "query", "name": "limit", "expected": "at least 1"},
                     {"in": "header", "name": "x-tenant", "expected": "to be there"})
        self.refused(client.request("GET", "/v1/users?limit=1&limit=2", {"X-Tenant": "a"}), 400,
                     {"in": "query", "name": "limit", "expected": "to be there once"})
        self.refused(client.request("GET", "/v1/users/me"), 400,
                     {"in": "path", "name": "id", "expected": "a whole number"})
        self.assertEqual(self.origin.requests, [])

    def test_bodies(self):
        gateway = self.begin()
        client = gateway.client()
        self.refused(self.post(client, {"age": -1, "friends": [{"name": "a"}, {"name": ""}]}), 422,
                     {"in": "body", "pointer": "", "expected": "a member `name`"},
                     {"in": "body", "pointer": "/age", "expected": "at least 0"},
                     {"in": "body", "pointer": "/friends/1/name",
                      "expected": "at least 1 characters"})
        for body in (b"{", b'{"name":"a","name":"b"}', b"[]", b'{"name":"a"} x'):
            self.refused(self.post(client, body), 422)
        self.refused(client.request("POST", "/v1/users", JSON), 422)
        self.refused(client.request("POST", "/v1/users", {"Content-Type": "a/b"}, b"x"), 415)
        self.refused(client.request("POST", "/v1/users", {**JSON, "Content-Encoding": "gzip"},
                                    b"x"), 415)
        self.refused(client.request("GET", "/v1/users/1", JSON, b"{}"), 422)
        self.assertEqual(self.origin.requests, [])
        path = gateway.folder / "access.log"
        eventually(lambda: path.exists() and path.read_text().count("\n") >= 9, "the records")
        record = json.loads(path.read_text().splitlines()[0])
        self.assertEqual((record["filter"], record["rule"], record["code"]),
                         ("openapi", "add_user", "schema.invalid"))

    def test_a_body_in_pieces_is_held_back(self):
        gateway = self.begin()
        client = gateway.client()
        text = json.dumps({"name": "a" * 50_000}).encode()
        client.send(client.head("POST", "/v1/users", {**JSON, "Transfer-Encoding": "chunked"}))
        for at in range(0, len(text), 7000):
            piece = text[at:at + 7000]
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.assertEqual(self.origin.requests, [])
        client.send(b"0\r\n\r\n")
        response = client.read_response("POST")
        self.assertEqual((response.status, response.json()["body_bytes"]), (200, len(text)))

    def test_over_http2(self):
        gateway = self.begin()
        client = Http2Client(gateway.listener())
        self.addCleanup(client.close)
        fields = {"content-type": "application/json"}
        response = client.request("POST", "/v1/users", fields, b'{"name": "a"}')
        self.assertEqual(response.status, 200)
        response = client.request("POST", "/v1/users", fields, b'{"name": 1}')
        self.assertEqual(response.status, 422)
        self.assertEqual(json.loads(response.body)["errors"][0]["pointer"], "/name")

    def test_what_is_not_described(self):
        gateway = self.begin()
        client = gateway.client()
        for target in ("/v1/other", "/users", "/v1", "/v1/users/1/2"):
            self.refused(client.request("GET", target), 404)
        response = client.request("DELETE", "/v1/users")
        self.refused(response, 405)
        self.assertEqual(response.header("allow"), "GET, POST")
        client = self.begin(unknown="pass").client()
        self.assertEqual(client.request("GET", "/v1/other").status, 200)
        self.assertEqual(client.request("DELETE", "/v1/users").status, 200)
        self.refused(client.request("GET", "/v1/users/me"), 400)

    def test_large_bodies(self):
        user = {"name": "a" * 5000}
        gateway = self.begin(body_max="4KiB")
        self.assert_problem(self.post(gateway.client(), user), 413, "limit.body")
        gateway = self.begin(body_max="4KiB", too_large="pass")
        client = gateway.client()
        self.assertEqual(self.post(client, user).json()["body_bytes"], len(json.dumps(user)))
        # Known only when it is half in: what was held back goes first.
        text = json.dumps(user).encode()
        client.send(client.head("POST", "/v1/users", {**JSON, "Transfer-Encoding": "chunked"}) +
                    b"%x\r\n%s\r\n" % (3000, text[:3000]))
        client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(text) - 3000, text[3000:]))
        self.assertEqual(client.read_response("POST").json()["body"], text.decode())
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_route_openapi_total{route="all",outcome="unchecked"}'], 2)

    def test_shadow_lets_pass_and_says_so(self):
        gateway = self.begin(mode="shadow")
        client = gateway.client()
        self.assertEqual(self.post(client, {"age": 1}).status, 200)
        self.assertEqual(client.request("GET", "/v1/users/me").status, 200)
        self.assertEqual(client.request("GET", "/other").status, 200)
        path = gateway.folder / "access.log"
        eventually(lambda: path.exists() and path.read_text().count("\n") >= 3, "the records")
        for line in path.read_text().splitlines():
            self.assertEqual(json.loads(line)["shadow"], "openapi")
        metrics = gateway.metrics()
        self.assertEqual(metrics['hangu_route_openapi_total{route="all",outcome="shadow"}'], 3)

    def test_a_reload_takes_the_changed_description(self):
        gateway = self.begin()
        client = gateway.client()
        self.refused(self.post(client, {"name": ""}), 422)
        self.write(DESCRIPTION.replace("minLength: 1", "minLength: 0"))
        self.assertEqual(gateway.reload().returncode, 0)
        self.assertEqual(self.post(client, {"name": ""}).status, 200)


class Descriptions(OpenApiCase):
    def check(self, text, name="users.yaml"):
        config = make_config(self.origin, route={"openapi": {"file": self.write(text, name)}})
        path = pathlib.Path(self.folder.name, "config.json")
        path.write_text(json.dumps({**config, "version": 1}))
        ran = run_hangu("check", str(path))
        return ran.returncode, ran.stdout + ran.stderr

    def test_what_cannot_be_checked_is_an_error_with_its_line(self):
        code, told = self.check(DESCRIPTION.replace("minimum: 0", "minimun: 0"))
        self.assertNotEqual(code, 0)
        self.assertIn("users.yaml:28", told)
        self.assertIn("`minimun` is not supported; is `minimum` meant?", told)
        self.assertIn("#/components/schemas/user/properties/age/minimun", told)
        code, told = self.check("openapi: 3.0.3\npaths: {")
        self.assertNotEqual(code, 0)
        self.assertRegex(told, r"users\.yaml:[23]:")
        code, told = self.check('{"swagger": "2.0"}', "old.json")
        self.assertIn("only OpenAPI 3.0 and 3.1", told)

    def test_explain_says_that_requests_are_checked(self):
        gateway = self.begin()
        told = run_hangu("explain", "--socket", gateway.socket, "http://a/v1/users").stdout
        self.assertRegex(told, r"openapi +3 operations of .*users\.yaml; bodies up to 1MiB\n")

    def test_the_example_of_the_documents_works(self):
        block, = [block for block in re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
                  if block.startswith("openapi: 3.1.0")]
        gateway = self.begin(block)
        client = gateway.client()
        self.assertEqual(client.request("POST", "/v1/orders", JSON, b'{"amount": 5}').status, 200)
        self.refused(client.request("POST", "/v1/orders", JSON, b'{"amount": 0}'), 422,
                     {"in": "body", "pointer": "/amount", "expected": "at least 1"})
