#include "hangu/fleet/instance.h"

#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace hangu::fleet {
namespace {

namespace json = boost::json;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<std::string_view> text_of(const json::object& members, std::string_view name) {
  const json::value* const value = members.if_contains(name);
  const json::string* const text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::optional(std::string_view(text->data(), text->size()))
                         : std::nullopt;
}

struct Bounds {
  uint32_t least;
  uint32_t most;
};

/// Leaves `out` where there is no such member. The error says what it may be.
Result<void, std::string> read_number(const json::object& members, std::string_view name,
                                      Bounds bounds, uint32_t& out) {
  const json::value* const value = members.if_contains(name);
  if (value == nullptr || value->is_null()) {
    return {};
  }
  const std::optional<int64_t> number =
      value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
  if (!number || *number < bounds.least || *number > bounds.most) {
    return Failure<std::string>{
        fmt::format("\"{}\" is no number of {} … {}", name, bounds.least, bounds.most)};
  }
  out = static_cast<uint32_t>(*number);
  return {};
}

Failure<std::string> bad_labels(std::string_view why) {
  return {fmt::format("\"labels\" {}", why)};
}

/// Empty where there is no such member.
Result<config::InstanceLabels, std::string> read_labels(const json::object& members) {
  const json::value* const value = members.if_contains("labels");
  config::InstanceLabels labels;
  if (value == nullptr || value->is_null()) {
    return labels;
  }
  const json::object* const given = value->if_object();
  if (given == nullptr) {
    return bad_labels("is no object");
  }
  if (given->size() > config::kInstanceLabelsMax) {
    return bad_labels(
        fmt::format("has {} members, more than {}", given->size(), config::kInstanceLabelsMax));
  }
  for (const auto& [key, text] : *given) {
    const std::string name(key.data(), key.size());
    if (!config::is_instance_label_name(name)) {
      return bad_labels(fmt::format("has a name that is not of 1 … {} letters, digits and ._/-",
                                    config::kInstanceLabelNameBytesMax));
    }
    const json::string* const label = text.if_string();
    if (label == nullptr) {
      return bad_labels(fmt::format("has \"{}\", which is no text", name));
    }
    std::string known(label->data(), label->size());
    if (!config::is_instance_label_value(known)) {
      return bad_labels(
          fmt::format("has \"{}\", which has more than {} bytes or control characters", name,
                      config::kInstanceLabelValueBytesMax));
    }
    labels.insert_or_assign(name, std::move(known));
  }
  return labels;
}

Result<config::Instance, std::string> parse_object(std::string_view value) {
  json::error_code error;
  const json::value parsed = json::parse(value, error);
  const json::object* const members = error ? nullptr : parsed.if_object();
  if (members == nullptr) {
    return Failure<std::string>{"it is no JSON: " + error.message()};
  }
  std::optional<std::string_view> address = text_of(*members, "address");
  address = address ? address : text_of(*members, "Addr");
  if (!address) {
    return Failure<std::string>{"it lacks \"address\""};
  }
  auto endpoint = config::parse_endpoint(*address);
  if (!endpoint) {
    return Failure<std::string>{endpoint.error()};
  }
  auto read = read_number(*members, "weight", {1, config::kEndpointWeightMax}, endpoint->weight);
  if (read) {
    read = read_number(*members, "priority", {0, config::kPriorityMax}, endpoint->priority);
  }
  if (!read) {
    return Failure<std::string>{read.error()};
  }
  auto labels = read_labels(*members);
  if (!labels) {
    return Failure<std::string>{labels.error()};
  }
  return config::Instance{std::move(*endpoint), std::move(*labels)};
}

Result<config::Instance, std::string> parse_address(std::string_view text) {
  auto endpoint = config::parse_endpoint(text);
  if (!endpoint) {
    return Failure<std::string>{endpoint.error()};
  }
  return config::Instance{std::move(*endpoint), {}};
}

}  // namespace

Result<config::Instance, std::string> parse_instance(std::string_view value) {
  if (value.size() > kInstanceBytesMax) {
    return Failure<std::string>{
        fmt::format("it has {} bytes, more than {}", value.size(), kInstanceBytesMax)};
  }
  const std::string_view text = trimmed(value);
  auto instance = text.starts_with('{') ? parse_object(text) : parse_address(text);
  if (instance && !instance->endpoint.unix_path.empty()) {
    return Failure<std::string>{"a socket of this machine cannot come from a registry"};
  }
  return instance;
}

}  // namespace hangu::fleet
