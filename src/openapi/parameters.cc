#include "openapi/parameters.h"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "hangu/base/parse.h"

#include "openapi/json_text.h"
#include "openapi/validator.h"

namespace hangu::openapi {
namespace {

namespace json = boost::json;

constexpr size_t kReferencesMax = 16;
constexpr size_t kItemsMax = 1024;

/// %-escapes, and in a query "+". nullopt: a bad escape.
std::optional<std::string> decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(plus && text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return out;
}

/// What a text stands for where these types are allowed; a text, if it can be nothing else.
json::value coerce(std::string_view text, uint8_t types) {
  if ((types & (kInteger | kNumber)) != 0 && !text.empty()) {
    const char first = text.front();
    if (first == '-' || (first >= '0' && first <= '9')) {
      if (auto number = parse_json(text); number && number->is_number() && text.back() > ' ') {
        return std::move(*number);
      }
    }
  }
  if ((types & kBoolean) != 0 && (text == "true" || text == "false")) {
    return json::value(text == "true");
  }
  return json::value(json::string_view(text.data(), text.size()));
}

/// The values of a parameter as they were sent, still encoded; those of a list apart.
struct Sent {
  std::vector<std::string> values;
  bool there = false;
};

void split(std::string_view text, std::vector<std::string>& out) {
  for (size_t at = 0; at <= text.size() && out.size() <= kItemsMax;) {
    const size_t end = std::min(text.find(',', at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
}

Sent find_in_query(const Parameter& parameter, std::string_view query) {
  Sent sent;
  while (!query.empty() && sent.values.size() <= kItemsMax) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (const auto name = decode(pair.substr(0, equals), true); !name || *name != parameter.name) {
      continue;
    }
    sent.there = true;
    sent.values.emplace_back(pair.substr(std::min(equals + 1, pair.size())));
  }
  return sent;
}

Sent find(const Parameter& parameter, const Document::Found& found, const ParameterSource& source) {
  const auto one = [](auto text) {
    Sent sent;
    if (text) {
      sent.there = true;
      sent.values.emplace_back(*text);
    }
    return sent;
  };
  switch (parameter.place) {
    case Place::kPath: return one(std::optional(found.captures[parameter.capture]));
    case Place::kHeader: return one(source.header(parameter.name));
    case Place::kCookie: return one(source.cookie(parameter.name));
    default: return find_in_query(parameter, source.query());
  }
}

}  // namespace

uint8_t possible_types(const Schemas& schemas, SchemaIndex index) {
  const auto possible = [&](auto&& self, SchemaIndex at, size_t depth) -> uint8_t {
    const Schema& schema = schemas[at];
    uint8_t types = schema.types;
    if (depth == kReferencesMax) {
      return types;
    }
    for (const SchemaIndex one : schema.all_of) {
      types = static_cast<uint8_t>(types & self(self, one, depth + 1));
    }
    for (const auto* const list : {&schema.any_of, &schema.one_of}) {
      uint8_t any = list->empty() ? uint8_t{kAnyType} : uint8_t{0};
      for (const SchemaIndex one : *list) {
        any = static_cast<uint8_t>(any | self(self, one, depth + 1));
      }
      types = static_cast<uint8_t>(types & any);
    }
    return types;
  };
  return possible(possible, index, 0);
}

uint8_t possible_item_types(const Schemas& schemas, SchemaIndex index) {
  for (size_t i = 0; i < kReferencesMax; ++i) {
    const Schema& schema = schemas[index];
    if (schema.items != kNoSchema) {
      return possible_types(schemas, schema.items);
    }
    if (schema.all_of.empty()) {
      break;
    }
    index = schema.all_of.front();
  }
  return kAnyType;
}

void check_parameter(const Parameter& parameter, const Document::Found& found,
                     const ParameterSource& source, const Schemas& schemas, Problems& problems) {
  const auto say = [&](std::string expected) {
    problems.add({.place = parameter.place,
                  .name = parameter.name,
                  .pointer = "",
                  .expected = std::move(expected)});
  };
  Sent sent = find(parameter, found, source);
  if (!sent.there) {
    if (parameter.required) {
      say("to be there");
    }
    return;
  }
  const bool list = (parameter.types & kArray) != 0;
  const bool scalar = (parameter.types & ~kArray) != 0;
  if (!(list && parameter.explode) && sent.values.size() > 1) {
    say("to be there once");  // of two the upstream might look at the other one
    return;
  }
  if (parameter.allow_empty && sent.values.size() == 1 && sent.values.front().empty()) {
    return;
  }
  // A list that is not to be told from a text is one text.
  if (list && !parameter.explode && !scalar) {
    const std::string whole = std::move(sent.values.front());
    sent.values.clear();
    split(whole, sent.values);
  }
  const bool encoded = parameter.place == Place::kPath || parameter.place == Place::kQuery;
  const auto read = [&](std::string& text, uint8_t types) -> std::optional<json::value> {
    if (encoded) {
      auto decoded = decode(text, parameter.place == Place::kQuery);
      if (!decoded) {
        return std::nullopt;
      }
      text = std::move(*decoded);
    } else {
      text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
    }
    return coerce(text, types);
  };
  const bool as_list = list && (!scalar || sent.values.size() > 1);
  json::array items;
  for (std::string& text : sent.values) {
    auto value = read(text, as_list ? parameter.item_types : parameter.types);
    if (!value || items.size() == kItemsMax) {
      say(value ? "fewer items" : "%-escapes that are right");
      return;
    }
    items.push_back(std::move(*value));
  }
  const json::value value = as_list ? json::value(std::move(items)) : items.front();
  Validator(schemas, parameter.place, parameter.name, problems).check(value, parameter.schema);
}

}  // namespace hangu::openapi
