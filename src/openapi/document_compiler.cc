#include "openapi/document_compiler.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "hangu/base/letter_case.h"

#include "openapi/parameters.h"

namespace hangu::openapi {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 8> kMethods = {"get",     "put",  "post",  "delete",
                                                      "options", "head", "patch", "trace"};

std::string_view text_of(const json::value* value) {
  const json::string* const text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view{};
}

bool flag_of(const json::value* value) {
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string_view key_of(const json::key_value_pair& member) {
  return {member.key().data(), member.key().size()};
}

/// "application/json" before "application/*" before "*/*".
int generality(std::string_view range) {
  return static_cast<int>(std::count(range.begin(), range.end(), '*'));
}

}  // namespace

/// Follows references; nullptr: a fault was added.
const json::object* DocumentCompiler::object_at(std::string& pointer) {
  const json::value* const value = schemas_.resolve(pointer);
  const json::object* const object = value != nullptr ? value->if_object() : nullptr;
  if (value != nullptr && object == nullptr) {
    schemas_.fault(pointer, "a mapping is expected");
  }
  return object;
}

DocumentParts DocumentCompiler::compile() {
  const json::object* const object = root_.if_object();
  if (object == nullptr) {
    schemas_.fault("", "an OpenAPI description is a mapping");
    return std::move(parts_);
  }
  const std::string_view version = text_of(object->if_contains("openapi"));
  if (!version.starts_with("3.0.") && !version.starts_with("3.1.")) {
    schemas_.fault("/openapi", "only OpenAPI 3.0 and 3.1 are supported: `openapi: 3.0.3`");
    return std::move(parts_);
  }
  read_base_path();
  const json::value* const paths = object->if_contains("paths");
  if (paths == nullptr || !paths->is_object()) {
    schemas_.fault("/paths", "there are no `paths`");
    return std::move(parts_);
  }
  for (const json::key_value_pair& member : paths->get_object()) {
    if (!key_of(member).starts_with("x-")) {
      read_path(key_of(member), "/paths/" + escape_pointer(key_of(member)));
    }
  }
  parts_.schemas = schemas_.take();
  for (Operation& operation : parts_.operations) {
    for (Parameter& parameter : operation.parameters) {
      parameter.types = possible_types(parts_.schemas, parameter.schema);
      parameter.item_types = possible_item_types(parts_.schemas, parameter.schema);
    }
  }
  return std::move(parts_);
}

/// Of the first server: the others are the same API elsewhere.
void DocumentCompiler::read_base_path() {
  std::string_view url = text_of(schemas_.look_up("/servers/0/url"));
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    const size_t slash = url.find('/', scheme + 3);
    url = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  }
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  if (url.find('{') != std::string_view::npos) {
    schemas_.fault("/servers/0/url", "variables in the path of a server are not supported");
  } else if (!url.empty() && !url.starts_with('/')) {
    schemas_.fault("/servers/0/url", "a path that begins with `/`, or an address, is expected");
  } else {
    parts_.base_path = url;
  }
}

void DocumentCompiler::read_path(std::string_view path, const std::string& at) {
  std::vector<std::string> captures;
  const auto number = static_cast<uint32_t>(parts_.items.size());
  if (const auto added = parts_.paths.add(path, number, captures); !added) {
    schemas_.fault(at, added.error());
    return;
  }
  parts_.items.emplace_back();
  std::string place = at;
  const json::object* const object = object_at(place);
  if (object == nullptr) {
    return;
  }
  std::vector<Parameter> inherited;
  if (object->if_contains("parameters") != nullptr) {
    read_parameters(place + "/parameters", captures, inherited);
  }
  for (const json::key_value_pair& member : *object) {
    const std::string_view key = key_of(member);
    const std::string below = place + "/" + escape_pointer(key);
    if (std::find(kMethods.begin(), kMethods.end(), key) != kMethods.end()) {
      read_operation(key, path, below, inherited, captures);
    } else if (key == "servers") {
      schemas_.fault(below, "`servers` of one path are not supported");
    } else if (key != "parameters" && key != "summary" && key != "description" &&
               !key.starts_with("x-")) {
      schemas_.fault(below, fmt::format("`{}` is no method", key));
    }
  }
}

void DocumentCompiler::read_operation(std::string_view method, std::string_view path,
                                      const std::string& at,
                                      const std::vector<Parameter>& inherited,
                                      const std::vector<std::string>& captures) {
  std::string place = at;
  const json::object* const object = object_at(place);
  if (object == nullptr) {
    return;
  }
  Operation made;
  made.method = upper_case(method);
  const std::string_view id = text_of(object->if_contains("operationId"));
  made.name = id.empty() ? fmt::format("{} {}", made.method, path) : std::string(id);
  if (object->if_contains("parameters") != nullptr) {
    read_parameters(place + "/parameters", captures, made.parameters);
  }
  for (const Parameter& parameter : inherited) {
    const bool replaced =
        std::any_of(made.parameters.begin(), made.parameters.end(), [&](const Parameter& own) {
          return own.place == parameter.place && own.name == parameter.name;
        });
    if (!replaced) {
      made.parameters.push_back(parameter);
    }
  }
  check_captures(made, place, captures);
  if (object->if_contains("requestBody") != nullptr) {
    read_body(place + "/requestBody", made);
  }
  if (object->if_contains("servers") != nullptr) {
    schemas_.fault(place + "/servers", "`servers` of one operation are not supported");
  }
  PathItem& item = parts_.items.back();
  item.allow.append(item.allow.empty() ? "" : ", ").append(made.method);
  item.operations.push_back(static_cast<uint32_t>(parts_.operations.size()));
  parts_.operations.push_back(std::move(made));
}

/// What a path has in braces is a parameter, and the other way round.
void DocumentCompiler::check_captures(const Operation& operation, const std::string& at,
                                      const std::vector<std::string>& captures) {
  for (const std::string& capture : captures) {
    const bool described = std::any_of(
        operation.parameters.begin(), operation.parameters.end(),
        [&](const Parameter& one) { return one.place == Place::kPath && one.name == capture; });
    if (!described) {
      schemas_.fault(at, fmt::format("{{{}}} of the path is not among the parameters", capture));
    }
  }
}

void DocumentCompiler::read_parameters(const std::string& at,
                                       const std::vector<std::string>& captures,
                                       std::vector<Parameter>& to) {
  const json::value* const value = schemas_.look_up(at);
  if (value == nullptr || !value->is_array()) {
    schemas_.fault(at, "a list of parameters is expected");
    return;
  }
  for (size_t i = 0; i < value->get_array().size(); ++i) {
    if (auto parameter = read_parameter(fmt::format("{}/{}", at, i), captures)) {
      to.push_back(std::move(*parameter));
    }
  }
}

std::optional<Parameter> DocumentCompiler::read_parameter(
    std::string at, const std::vector<std::string>& captures) {
  const json::object* const object = object_at(at);
  if (object == nullptr) {
    return std::nullopt;
  }
  Parameter made;
  made.name = text_of(object->if_contains("name"));
  const std::string_view place = text_of(object->if_contains("in"));
  made.required = flag_of(object->if_contains("required"));
  made.allow_empty = flag_of(object->if_contains("allowEmptyValue"));
  constexpr std::array<std::string_view, 4> kPlaces = {"path", "query", "header", "cookie"};
  const auto* const found = std::find(kPlaces.begin(), kPlaces.end(), place);
  if (made.name.empty() || found == kPlaces.end()) {
    schemas_.fault(at, "a parameter has a `name`, and `in: path`, `query`, `header` or `cookie`");
    return std::nullopt;
  }
  made.place = static_cast<Place>(found - kPlaces.begin());
  if (made.place == Place::kHeader) {
    made.name = lower_case(made.name);
    if (made.name == "accept" || made.name == "content-type" || made.name == "authorization") {
      return std::nullopt;  // described elsewhere, as the specification says
    }
  }
  if (made.place == Place::kPath) {
    const auto capture = std::find(captures.begin(), captures.end(), made.name);
    if (capture == captures.end()) {
      schemas_.fault(at, fmt::format("the path has no {{{}}}", made.name));
      return std::nullopt;
    }
    made.capture = static_cast<size_t>(capture - captures.begin());
  }
  return read_style(*object, at, made) ? std::optional(std::move(made)) : std::nullopt;
}

bool DocumentCompiler::read_style(const json::object& object, const std::string& at,
                                  Parameter& to) {
  const bool form = to.place == Place::kQuery || to.place == Place::kCookie;
  const std::string_view style = text_of(object.if_contains("style"));
  if (!style.empty() && style != (form ? "form" : "simple")) {
    schemas_.fault(at + "/style", fmt::format("`style: {}` is not supported", style));
    return false;
  }
  const json::value* const explode = object.if_contains("explode");
  to.explode = to.place == Place::kQuery && (explode == nullptr || flag_of(explode));
  if (flag_of(object.if_contains("allowReserved"))) {
    schemas_.fault(at + "/allowReserved", "`allowReserved` is not supported");
  }
  if (object.if_contains("content") != nullptr) {
    schemas_.fault(at + "/content", "`content` of a parameter is not supported");
    return false;
  }
  if (object.if_contains("schema") == nullptr) {
    schemas_.fault(at, "a parameter has a `schema`");
    return false;
  }
  to.schema = schemas_.compile(at + "/schema");
  // An object of several parameters would have to be put together again.
  std::string place = at + "/schema";
  const json::value* const schema = schemas_.resolve(place);
  const json::object* const mapping = schema != nullptr ? schema->if_object() : nullptr;
  if (mapping != nullptr && text_of(mapping->if_contains("type")) == "object") {
    schemas_.fault(at + "/schema", "parameters that are objects are not supported");
  }
  return true;
}

void DocumentCompiler::read_body(std::string at, Operation& to) {
  const json::object* const object = object_at(at);
  if (object == nullptr) {
    return;
  }
  to.has_body = true;
  to.body_required = flag_of(object->if_contains("required"));
  const json::value* const content = object->if_contains("content");
  if (content == nullptr || !content->is_object() || content->get_object().empty()) {
    schemas_.fault(at, "a body has a `content`");
    return;
  }
  for (const json::key_value_pair& member : content->get_object()) {
    const std::string place = at + "/content/" + escape_pointer(key_of(member));
    MediaType media{.range = lower_case(key_of(member).substr(0, key_of(member).find(';')))};
    const json::object* const described = member.value().if_object();
    if (described != nullptr && described->if_contains("schema") != nullptr) {
      media.schema = schemas_.compile(place + "/schema");
    }
    to.media_types.push_back(std::move(media));
  }
  std::stable_sort(to.media_types.begin(), to.media_types.end(),
                   [](const MediaType& a, const MediaType& b) {
                     return generality(a.range) < generality(b.range);
                   });
}

}  // namespace hangu::openapi
