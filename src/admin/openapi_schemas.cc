#include "admin/openapi_schemas.h"

namespace hangu::admin {
namespace {

constexpr std::string_view kSchemas = R"__({
"Problem": {
  "description": "RFC 9457. `code` is for programs; some codes have members of their own.",
  "type": "object",
  "required": ["type", "title", "status", "code", "detail"],
  "properties": {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "code": {"type": "string"},
    "detail": {"type": "string"},
    "diagnostics": {"type": "array", "items": {"$ref": "#/components/schemas/Diagnostic"}},
    "etag": {"type": ["string", "null"], "description": "Of the document that there is."},
    "config_etag": {"type": "string"},
    "documents": {"type": "array", "items": {
      "type": "object",
      "required": ["key", "etag"],
      "properties": {"key": {"type": "string"}, "etag": {"type": ["string", "null"]}}}}
  }
},
"Diagnostic": {
  "type": "object",
  "required": ["severity", "code", "file", "line", "column", "message", "snippet", "suggestion"],
  "properties": {
    "severity": {"enum": ["error", "warning"]},
    "code": {"type": "string", "pattern": "^[EW][0-9]{4}$"},
    "file": {"type": "string", "description": "The path of the file, or the key of a document."},
    "line": {"type": "integer", "minimum": 0},
    "column": {"type": "integer", "minimum": 0},
    "path": {"type": "string", "description": "Of the key: routes/users.match"},
    "message": {"type": "string"},
    "snippet": {"type": "string"},
    "suggestion": {"type": "string"}
  }
},
"Index": {
  "type": "object",
  "required": ["routes"],
  "properties": {"routes": {"type": "array", "items": {
    "type": "object",
    "required": ["method", "path", "roles", "summary"],
    "properties": {
      "method": {"type": "string"},
      "path": {"type": "string"},
      "roles": {"type": "array", "items": {"enum": ["sysadmin", "secadmin", "auditor"]}},
      "summary": {"type": "string"}}}}}
},
"Status": {
  "type": "object",
  "required": ["version", "pid", "ready", "reason", "state", "started", "uptime_s", "config",
               "generation", "event_loop", "listeners", "certificates", "upstreams", "stores",
               "rate_limits", "concurrency_limits", "bandwidth_limits", "shards", "audit",
               "last_reload"],
  "properties": {
    "version": {"type": "string"},
    "pid": {"type": "integer"},
    "ready": {"type": "boolean"},
    "reason": {"type": "string"},
    "state": {"type": "string"},
    "started": {"type": "string"},
    "uptime_s": {"type": "integer"},
    "config": {"type": "string"},
    "generation": {"type": "integer"},
    "event_loop": {"type": "string"},
    "listeners": {"type": "array", "items": {
      "type": "object",
      "required": ["name", "address"],
      "properties": {"name": {"type": "string"}, "address": {"type": "string"}}}},
    "certificates": {"type": "array"},
    "upstreams": {"type": "array", "items": {"$ref": "#/components/schemas/Upstream"}},
    "shards": {"type": "array", "items": {
      "type": "object",
      "required": ["id", "cpu", "generation", "connections", "requests_active", "requests_total"],
      "properties": {
        "id": {"type": "integer"},
        "cpu": {"type": "integer"},
        "generation": {"type": "integer"},
        "connections": {"type": "integer"},
        "requests_active": {"type": "integer"},
        "requests_total": {"type": "integer"}}}},
    "documents": {"type": "object",
                  "required": ["documents", "generation", "time", "author", "refused"]},
    "config_center": {"type": "object", "required": ["endpoint", "connected", "revision",
                                                     "applied", "documents", "refused"]},
    "audit": {"type": ["object", "null"]},
    "last_reload": {"type": ["object", "null"]}
  }
},
"Upstream": {
  "type": "object",
  "required": ["name", "endpoints"],
  "properties": {
    "name": {"type": "string"},
    "endpoints": {"type": "array", "items": {
      "type": "object",
      "required": ["address", "host", "weight", "priority", "order"],
      "properties": {
        "address": {"type": "string"},
        "host": {"type": "string"},
        "weight": {"type": "integer"},
        "priority": {"type": "integer"},
        "order": {"enum": ["ready", "drain", "maint"]}}}}
  }
},
"Upstreams": {
  "type": "object",
  "required": ["upstreams"],
  "properties": {
    "upstreams": {"type": "array", "items": {"$ref": "#/components/schemas/Upstream"}}
  }
},
"Plugins": {
  "type": "object",
  "required": ["plugins"],
  "properties": {"plugins": {"type": "array", "items": {
    "type": "object",
    "required": ["name", "path", "version", "sha256", "since", "error"],
    "properties": {"name": {"type": "string"}, "sha256": {"type": "string"}}}}}
},
"PluginChange": {"type": "object"},
"Releases": {
  "type": "object",
  "required": ["releases"],
  "properties": {
    "releases": {"type": "array", "items": {"$ref": "#/components/schemas/Release"}}
  }
},
"Release": {
  "type": "object",
  "required": ["route", "upstream", "version", "state", "share_percent", "cause", "revision"],
  "properties": {
    "route": {"type": "string"},
    "state": {"type": "string"},
    "share_percent": {"type": "number"}
  }
},
"Explanation": {"type": "object", "required": ["request"]},
"Recorded": {
  "type": "object",
  "required": ["recorded"],
  "properties": {"recorded": {"type": "boolean"}}
},
"Reload": {
  "type": "object",
  "required": ["applied", "generation", "connections_closed", "streams_on_old_generation",
               "listeners_added", "listeners_removed", "restart_required", "changes",
               "diagnostics"],
  "properties": {
    "applied": {"type": "boolean"},
    "generation": {"type": "integer"},
    "changes": {"type": "array", "items": {
      "type": "object",
      "required": ["key", "before", "after", "takes_effect"],
      "properties": {"takes_effect": {"enum": ["live", "new connections", "restart"]}}}},
    "diagnostics": {"type": "array", "items": {"$ref": "#/components/schemas/Diagnostic"}}
  }
},
"Upgrade": {
  "type": "object",
  "required": ["upgraded", "pid", "version", "took_ms"],
  "properties": {
    "upgraded": {"const": true},
    "pid": {"type": "integer"},
    "version": {"type": "string"},
    "took_ms": {"type": "number"}
  }
},
"Login": {
  "type": "object",
  "required": ["token", "name", "role", "idle_timeout_s", "session_max_s"],
  "properties": {
    "token": {"type": "string"},
    "name": {"type": "string"},
    "role": {"enum": ["sysadmin", "secadmin", "auditor"]},
    "idle_timeout_s": {"type": "integer"},
    "session_max_s": {"type": "integer"}
  }
},
"Logout": {
  "type": "object",
  "required": ["session"],
  "properties": {"session": {"type": "null"}}
},
"Session": {
  "type": "object",
  "required": ["actor", "name", "role"],
  "properties": {
    "actor": {"type": "string"},
    "name": {"type": ["string", "null"]},
    "role": {"enum": ["sysadmin", "secadmin", "auditor", null]}
  }
},
"Element": {
  "description": "An element as it stands in its list, without `name`: see `hangu schema`.",
  "type": "object"
},
"Documents": {
  "type": "object",
  "required": ["generation", "config_etag", "store", "writable", "documents"],
  "properties": {
    "generation": {"type": "integer", "description": "Of the config in force, of this process."},
    "config_etag": {"type": "string"},
    "store": {"enum": ["none", "local", "config_center"]},
    "writable": {"type": "boolean"},
    "documents": {"type": "array", "items": {
      "type": "object",
      "required": ["key", "source", "etag", "in_force"],
      "additionalProperties": false,
      "properties": {
        "key": {"type": "string", "pattern": "^[a-z_]+/[A-Za-z0-9_.-]+$"},
        "source": {"enum": ["file", "document"]},
        "etag": {"type": ["string", "null"]},
        "in_force": {"type": "boolean"},
        "reason": {"type": "string", "description": "Why it is not in force."}}}}
  }
},
"Change": {
  "type": "object",
  "required": ["changes"],
  "properties": {
    "message": {"type": "string", "description": "Why; kept with the change."},
    "changes": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {
      "type": "object",
      "required": ["key"],
      "additionalProperties": false,
      "properties": {
        "key": {"type": "string"},
        "document": {"type": ["object", "null"], "description": "null removes it."},
        "yaml": {"type": "string", "description": "In place of `document`."},
        "if_match": {"type": "string"},
        "if_none_match": {"const": "*"}}}}
  }
},
"Changed": {
  "type": "object",
  "required": ["dry_run", "in_force", "generation", "config_etag", "documents", "warnings"],
  "additionalProperties": false,
  "properties": {
    "dry_run": {"type": "boolean"},
    "in_force": {"type": "boolean"},
    "reason": {"type": "string", "description": "Of 202: why it is not in force here."},
    "generation": {"type": "integer", "description": "Of the store of documents."},
    "config_etag": {"type": "string"},
    "documents": {"type": "array", "items": {
      "type": "object",
      "required": ["key", "before", "etag"],
      "additionalProperties": false,
      "properties": {
        "key": {"type": "string"},
        "before": {"type": ["string", "null"]},
        "etag": {"type": ["string", "null"]}}}},
    "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Diagnostic"}}
  }
},
"OpenApi": {"type": "object", "required": ["openapi", "info", "paths", "components"]}
})__";

}  // namespace

std::string_view openapi_schemas() {
  return kSchemas;
}

}  // namespace hangu::admin
