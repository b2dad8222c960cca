"""Documents of the config, read and written by the admin API of a gateway."""

import json

JSON = ("Content-Type", "application/json")
YAML = ("Content-Type", "application/yaml")


def route(path, text, **more):
    return {"match": {"path": {"prefix": path}}, "respond": {"body": text}, **more}


class Documents:
    def __init__(self, gateway, *fields):
        """`fields`: of each request, such as a session's."""
        self.gateway, self.fields = gateway, list(fields)

    def ask(self, method, target, *fields, body=None):
        return self.gateway.admin(method, "/config" + target, [*self.fields, *fields], body)

    def list(self):
        return self.ask("GET", "/documents").json()

    def keys(self, source="document"):
        return [each["key"] for each in self.list()["documents"] if each["source"] == source]

    def get(self, key, *fields):
        return self.ask("GET", f"/documents/{key}", *fields)

    def put(self, key, document, *fields, query=""):
        """`document`: an object, or YAML."""
        is_text = isinstance(document, str)
        body = document if is_text else json.dumps(document)
        return self.ask("PUT", f"/documents/{key}{query}", YAML if is_text else JSON, *fields,
                        body=body.encode())

    def delete(self, key, *fields, query=""):
        return self.ask("DELETE", f"/documents/{key}{query}", *fields)

    def change(self, *changes, fields=(), query="", **more):
        body = json.dumps({"changes": changes, **more}).encode()
        return self.ask("POST", f"/changes{query}", JSON, *fields, body=body)
