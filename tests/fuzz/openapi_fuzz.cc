// Fuzz target: any request held against a description that asks for everything that a description
// can. The input is the text of a request: a line with method and target, fields, an empty line, a
// body. A check ends, says no more than was asked for, and says the same twice.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hangu/base/assert.h"
#include "hangu/openapi/document.h"

#include "tests/fuzz/support.h"

namespace hangu::openapi {
namespace {

constexpr std::string_view kDescription = R"({
  "openapi": "3.1.0", "info": {"title": "all", "version": "1"}, "servers": [{"url": "/v1"}],
  "paths": {
    "/users": {
      "get": {"operationId": "list", "parameters": [
        {"name": "limit", "in": "query",
         "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
        {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["name", "age desc"]}},
        {"name": "ids", "in": "query", "explode": false,
         "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 5}},
        {"name": "tag", "in": "query",
         "schema": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"},
                    "uniqueItems": true}},
        {"name": "flag", "in": "query", "allowEmptyValue": true, "schema": {"type": "boolean"}},
        {"name": "x-version", "in": "header", "required": true,
         "schema": {"type": "number", "multipleOf": 0.5}},
        {"name": "x-list", "in": "header",
         "schema": {"type": "array", "items": {"format": "uuid"}}},
        {"name": "sid", "in": "cookie", "schema": {"type": "string", "minLength": 4}}]},
      "post": {"operationId": "add", "requestBody": {"required": true, "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/User"}},
        "text/plain": {}}}}},
    "/users/{id}": {
      "parameters": [{"name": "id", "in": "path", "required": true,
                      "schema": {"type": "integer", "format": "int32"}}],
      "get": {"operationId": "one"},
      "put": {"requestBody": {"content": {"application/*": {"schema": {"oneOf": [
        {"$ref": "#/components/schemas/User"}, {"$ref": "#/components/schemas/Tree"},
        {"type": "null"}]}}}}}},
    "/files/{name}/as.{kind}": {"get": {"parameters": [
      {"name": "name", "in": "path", "required": true,
       "schema": {"type": "string", "maxLength": 9}},
      {"name": "kind", "in": "path", "required": true, "schema": {"enum": ["txt", "json"]}}]}}},
  "components": {"schemas": {
    "User": {"type": "object", "required": ["name", "id", "created"], "minProperties": 1,
      "maxProperties": 12, "additionalProperties": {"type": ["string", "null"]},
      "patternProperties": {"^x-": {"type": "integer", "exclusiveMinimum": 0}},
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^\\p{L}[^<>]*$"},
        "id": {"type": "integer", "format": "int64", "readOnly": true},
        "created": {"type": "string", "format": "date-time"},
        "born": {"type": "string", "format": "date"},
        "key": {"type": "string", "format": "uuid"},
        "address": {"anyOf": [{"type": "string", "format": "ipv4"},
                              {"type": "string", "format": "ipv6"}]},
        "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.01},
        "kind": {"const": {"a": [1, 2.0, null]}},
        "friends": {"type": "array", "items": {"$ref": "#/components/schemas/User"},
                    "maxItems": 4, "uniqueItems": true},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}],
                 "items": false, "minItems": 2},
        "odd": {"allOf": [{"type": "integer"}, {"not": {"multipleOf": 2}}]}}},
    "Tree": {"type": "object", "additionalProperties": false, "required": ["left"],
      "properties": {"left": {"oneOf": [{"type": "boolean"},
                                        {"$ref": "#/components/schemas/Tree"}]},
                     "right": {"$ref": "#/components/schemas/Tree"}}}}}})";

const Document& document() {
  static const std::shared_ptr<const Document> kDocument = [] {
    auto compiled = Document::compile(kDescription);
    HANGU_ASSERT(compiled);
    return *compiled;
  }();
  return *kDocument;
}

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::pair<std::string_view, std::string_view> cut_at(std::string_view text,
                                                     std::string_view separator) {
  const size_t at = text.find(separator);
  return at == std::string_view::npos
             ? std::pair(text, std::string_view{})
             : std::pair(text.substr(0, at), text.substr(at + separator.size()));
}

struct Request final : ParameterSource {
  std::string_view method;
  std::string_view path;
  std::string_view query_text;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::string_view body;

  explicit Request(std::string_view text) {
    std::string_view target;
    std::tie(method, target) = cut_at(take_line(text), " ");
    std::tie(path, query_text) = cut_at(target, "?");
    while (!text.empty()) {
      const std::string_view line = take_line(text);
      if (line.empty()) {
        break;
      }
      fields.push_back(cut_at(line, ": "));
    }
    body = text;
  }

  std::string_view query() const override { return query_text; }

  std::optional<std::string> header(std::string_view name) const override {
    const auto found = find(name);
    return found ? std::optional(std::string(*found)) : std::nullopt;
  }

  std::optional<std::string_view> cookie(std::string_view name) const override {
    const auto cookies = find("cookie");
    const auto [own, value] = cut_at(cookies.value_or(std::string_view{}), "=");
    return cookies && own == name ? std::optional(value) : std::nullopt;
  }

  std::optional<std::string_view> find(std::string_view name) const {
    for (const auto& [own, value] : fields) {
      if (own == name) {
        return value;
      }
    }
    return std::nullopt;
  }
};

bool same(const Problem& a, const Problem& b) {
  return a.place == b.place && a.name == b.name && a.pointer == b.pointer &&
         a.expected == b.expected;
}

/// What is wrong, up to `most`.
Problems check(const Request& request, const Document::Found& found, size_t most) {
  Problems problems(most);
  document().check_parameters(found, request, problems);
  const std::string_view type = request.find("content-type").value_or(std::string_view{});
  if (Document::body_check(*found.operation, type) == Document::BodyCheck::kJson) {
    document().check_body(*found.operation, type, request.body, problems);
  }
  return problems;
}

}  // namespace

void check_one(std::string_view bytes) {
  const fuzz::Piece piece(bytes);
  const Request request(piece.view());
  const Document::Found found = document().find(request.method, request.path);
  if (found.operation == nullptr) {
    HANGU_ASSERT(found.path_known == !found.allow.empty());
    return;
  }
  HANGU_ASSERT(found.path_known && !Document::name_of(*found.operation).empty());
  constexpr size_t kMany = 1000;
  constexpr size_t kFew = 2;
  const Problems all = check(request, found, kMany);
  const Problems again = check(request, found, kMany);
  const Problems few = check(request, found, kFew);
  HANGU_ASSERT(all.list().size() == again.list().size());
  HANGU_ASSERT(few.list().size() == std::min(all.list().size(), kFew));
  for (size_t i = 0; i < all.list().size(); ++i) {
    const Problem& problem = all.list()[i];
    HANGU_ASSERT(!problem.expected.empty() && same(problem, again.list()[i]));
    HANGU_ASSERT(i >= kFew || same(problem, few.list()[i]));
    HANGU_ASSERT((problem.place == Place::kBody) == problem.name.empty());
    HANGU_ASSERT(problem.pointer.empty() || problem.pointer.front() == '/');
  }
}

}  // namespace hangu::openapi

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hangu::openapi::check_one(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
