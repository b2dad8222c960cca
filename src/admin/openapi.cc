#include "hangu/admin/openapi.h"

#include <algorithm>
#include <cctype>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/json.h"
#include "hangu/admin/routes.h"
#include "hangu/base/letter_case.h"
#include "hangu/http/status.h"

#include "admin/openapi_schemas.h"
#include "admin/route_table.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json";

json::string text(std::string_view value) {
  return json::string(value.data(), value.size());
}

json::object reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

/// "putConfigDocumentsListName"
std::string operation_id(const Route& route) {
  std::string id = lower_case(route.method);
  bool upper = true;
  for (const char c : route.path) {
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0;
    if (letter) {
      id += upper ? to_upper(c) : c;
    }
    upper = !letter;
  }
  return id;
}

json::object parameter(const Parameter& of, std::string_view in) {
  json::object out = {{"name", text(of.name)},
                      {"in", text(in)},
                      {"required", of.required || in == "path"},
                      {"description", text(of.documentation)}};
  if (of.words.empty()) {
    out["schema"] = {{"type", "string"}};
  } else {
    json::array words;
    for (std::string_view rest = of.words; !rest.empty();) {
      const size_t end = std::min(rest.find('|'), rest.size());
      words.push_back(text(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    out["schema"] = {{"type", "string"}, {"enum", std::move(words)}};
  }
  return out;
}

json::array parameters(const Route& route) {
  json::array all;
  if (route.path.find('{') != std::string_view::npos) {
    all.push_back(parameter({"list", "A list of the config: routes, upstreams, ..."}, "path"));
    all.push_back(parameter({"name", "Of the element in it."}, "path"));
  }
  for (const Parameter& each : route.api.query) {
    all.push_back(parameter(each, "query"));
  }
  for (const Parameter& each : route.api.fields) {
    all.push_back(parameter(each, "header"));
  }
  return all;
}

json::object content(std::string_view type, std::string_view schema) {
  json::object out;
  const json::object of_schema =
      schema.empty() ? json::object{{"type", "string"}} : reference(schema);
  out[type] = json::object{{"schema", of_schema}};
  return out;
}

json::object responses(const Route& route) {
  json::object all;
  for (const Answer& each : route.api.answers) {
    json::object one = {{"description", http::reason_phrase(each.status)}};
    if (!each.type.empty()) {
      json::object types = content(each.type, each.schema);
      if (each.schema == "Element") {  // as Accept asks for it
        types["application/yaml"] = json::object{{"schema", {{"type", "string"}}}};
      }
      one["content"] = std::move(types);
    }
    all[std::to_string(each.status)] = std::move(one);
  }
  all["default"] = {{"description", "what is wrong"},
                    {"content", content("application/problem+json", "Problem")}};
  return all;
}

json::object operation(const Route& route) {
  json::array roles;
  for (const std::string_view role : role_names(route.roles)) {
    roles.push_back(text(role));
  }
  json::object out = {{"operationId", operation_id(route)},
                      {"summary", text(route.summary)},
                      {"x-hangu-roles", std::move(roles)}};
  if (json::array all = parameters(route); !all.empty()) {
    out["parameters"] = std::move(all);
  }
  if (!route.api.body.empty()) {
    json::object types = content(kJson, route.api.body);
    if (route.api.body == "Element") {
      types["application/yaml"] = json::object{{"schema", {{"type", "string"}}}};
    }
    out["requestBody"] = {{"required", true}, {"content", std::move(types)}};
  }
  out["responses"] = responses(route);
  if (route.path == "/login") {
    out["security"] = json::array{json::object{{"basic", json::array()}}};
  } else if (route.roles != kAnyone) {
    out["security"] = json::array{json::object(), json::object{{"session", json::array()}}};
  }
  return out;
}

}  // namespace

std::string openapi_text() {
  json::object paths;
  for (const Route& route : routes()) {
    json::value& path = paths[text(route.path)];
    if (!path.is_object()) {
      path = json::object();
    }
    const std::string id = operation_id(route);
    const size_t method = route.method.size();
    path.as_object()[id.substr(0, method)] = operation(route);
  }
  const std::string_view schemas = openapi_schemas();
  json::object components = {
      {"schemas", json::parse(json::string_view(schemas.data(), schemas.size()))},
      {"securitySchemes",
       {{"session",
         {{"type", "http"},
          {"scheme", "bearer"},
          {"description",
           "The token of POST /login. Needed where the config names "
           "administrators, and not by an administrator's account on the Unix "
           "socket."}}},
        {"basic", {{"type", "http"}, {"scheme", "basic"}}}}}};
  const json::object all = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "hangu admin API"},
        {"version", "1"},
        {"description",
         "Made from the table that routes its requests: `hangu schema --format "
         "openapi`, or GET /openapi.json."}}},
      {"servers", json::array{{{"url", "http://hangu"},
                               {"description", "On the Unix socket: curl --unix-socket"}}}},
      {"paths", std::move(paths)},
      {"components", std::move(components)}};
  return pretty(all) + "\n";
}

}  // namespace hangu::admin
