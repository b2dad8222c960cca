"""The OpenAPI description of the admin API: it is what is shipped, it knows every route, and what
the gateway answers is what it says."""

import json
import pathlib

import jsonschema

from support.case import GatewayCase
from support.documents import Documents, JSON, route
from support.gateway import ROOT, make_config, run_hangu

METHODS = ("GET", "POST", "PUT", "DELETE")


class Described(GatewayCase):
    @classmethod
    def config(cls, origin):
        return make_config(origin, state_dir="@FOLDER@/state",
                           admin={"socket": "@FOLDER@/admin.sock", "writable": True})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api = cls.gateway.admin("GET", "/openapi.json").json()

    def operation(self, method, path):
        return self.api["paths"][path][method.lower()]

    def validate(self, schema, value):
        whole = {**schema, "components": self.api["components"]}
        jsonschema.Draft202012Validator.check_schema(whole)
        jsonschema.Draft202012Validator(whole).validate(value)

    def check(self, method, path, reply):
        """The answer is one of those that are described."""
        responses = self.operation(method, path)["responses"]
        described = responses.get(str(reply.status))
        if described is None:
            self.assertGreaterEqual(reply.status, 400, f"{method} {path}: {reply.status}")
            described = responses["default"]
        if "content" not in described:
            self.assertEqual(reply.body, b"", f"{method} {path}")
            return
        kind = reply.header("content-type").partition(";")[0]
        self.assertIn(kind, described["content"], f"{method} {path}")
        value = reply.json() if kind.endswith("json") else reply.body.decode()
        self.validate(described["content"][kind]["schema"], value)

    def test_it_is_the_file_that_is_shipped(self):
        shipped = json.loads(pathlib.Path(ROOT, "docs/admin-api.json").read_text("utf-8"))
        self.assertEqual(self.api, shipped)
        printed = run_hangu("schema", "--format", "openapi")
        self.assertEqual(json.loads(printed.stdout), shipped)
        self.assertEqual(self.api["openapi"], "3.1.0")

    def test_schemas_are_schemas(self):
        for schema in self.api["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        with self.assertRaises(jsonschema.ValidationError):
            self.validate({"$ref": "#/components/schemas/Problem"}, {"status": 404})

    def test_it_has_the_routes_of_the_index_and_no_others(self):
        listed = {(each["method"], each["path"]): each["roles"]
                  for each in self.gateway.admin("GET", "/").json()["routes"]}
        described = {(method.upper(), path): operation["x-hangu-roles"]
                     for path, methods in self.api["paths"].items()
                     for method, operation in methods.items()}
        self.assertEqual(described, listed)
        for path, methods in self.api["paths"].items():
            target = path.replace("{list}", "routes").replace("{name}", "all")
            for method in METHODS:
                if method.lower() not in methods:
                    reply = self.gateway.admin(method, target)
                    self.assertEqual(reply.status, 405, f"{method} {path}")

    def test_answers_are_as_described(self):
        for path in ("/", "/health", "/ready", "/status", "/upstreams", "/plugins", "/metrics",
                     "/config", "/session", "/openapi.json", "/config/documents"):
            reply = self.gateway.admin("GET", path)
            self.assertEqual(reply.status, 200, path)
            self.check("GET", path, reply)
        for path, query in (("/explain", "?url=http://a.test/"), ("/explain", ""),
                            ("/config/documents", "?")):
            self.check("GET", path, self.gateway.admin("GET", path + query))
        order = f"?upstream=origin&endpoint={self.origin.endpoint}&order=ready"
        for path, query in (("/reload", ""), ("/endpoint", order), ("/endpoint", ""),
                            ("/audit/reading", "?kind=read"), ("/audit/reading", ""),
                            ("/plugin", "?name=none&change=swap"), ("/login", ""),
                            ("/logout", "")):
            self.check("POST", path, self.gateway.admin("POST", path + query))

    def test_answers_about_documents_are_as_described(self):
        documents = Documents(self.gateway)
        one = "/config/documents/{list}/{name}"
        made = documents.put("routes/a", route("/a", "1"))
        self.assertEqual(made.status, 201)
        self.check("PUT", one, made)
        etag = ("If-Match", made.header("etag"))
        for reply in (documents.put("routes/a", route("/a", "2"), etag),
                      documents.put("routes/a", route("/a", "3"), etag),
                      documents.put("routes/a", {"match": 5}),
                      documents.put("routes/a", {"upstream": "nobody"}),
                      documents.put("routes/all", {}), documents.put("nothing/a", {}),
                      documents.put("routes/b", route("/b", "1"), query="?dry_run=true")):
            self.check("PUT", one, reply)
        found = documents.get("routes/a")
        for reply in (found, documents.get("routes/a", ("Accept", "application/yaml")),
                      documents.get("routes/a", ("If-None-Match", found.header("etag"))),
                      documents.get("routes/none")):
            self.check("GET", one, reply)
        for change in ({"key": "routes/c", "document": route("/c", "1")},
                       {"key": "routes/c", "document": None, "if_match": "*"},
                       {"key": "routes/c", "document": None}, {"key": "routes/c"}):
            self.check("POST", "/config/changes", documents.change(change))
        self.check("POST", "/config/changes", documents.ask("POST", "/changes", JSON, body=b"5"))
        self.check("GET", "/config/documents", self.gateway.admin("GET", "/config/documents"))
        self.check("DELETE", one, documents.delete("routes/a"))
        self.check("DELETE", one, documents.delete("routes/a"))
