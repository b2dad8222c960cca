#include "config/endpoint_type.h"

#include <fmt/format.h>

#include "config/keys.h"
#include "config/rules.h"
#include "config/text.h"

namespace hangu::config {
namespace {

/// What an endpoint is without more words.
class EndpointAddressType final : public ScalarType<Endpoint> {
 public:
  std::string name() const override { return "endpoint address"; }

  std::string schema() const override {
    return "\"type\":\"string\",\"anyOf\":[{\"pattern\":\"^(unix:.+|.+:[0-9]{1,5})$\"},"
           "{\"pattern\":\"\\\\$\\\\{\"}]";
  }

  std::string limits() const override { return "`host:port`, `[ipv6]:port` or `unix:/path`"; }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text,
                               Endpoint& out) const override {
    return check_endpoint(text, out);
  }

  Value format(const Config& /*config*/, const Endpoint& value) const override {
    return Value::string(format_endpoint(value));
  }

  std::string noun() const override { return "an endpoint"; }

  std::string example() const override { return "127.0.0.1:9000"; }
};

constexpr Row kAddressRow = {
    .name = "address",
    .documentation =
        "Where it is. An endpoint of which nothing else is said may be this text "
        "alone.",
    .example = "127.0.0.1:9000",
    .required = true};
constexpr Row kWeightRow = {
    .name = "weight",
    .documentation = "Its share of the requests, beside the others of its priority.",
    .example = "3"};
constexpr Row kPriorityRow = {
    .name = "priority",
    .documentation =
        "Requests go to the endpoints of the lowest number; to those of the next one "
        "as these lose health: when less than 5 of 7 are well.",
    .example = "1"};
constexpr Row kLabelsRow = {
    .name = "labels", .documentation = "What it says of itself.", .example = "{version: \"2.0\"}"};
constexpr NumberRange kWeightRange = {1, kEndpointWeightMax};
constexpr NumberRange kPriorityRange = {0, kPriorityMax};

}  // namespace

EndpointType::EndpointType()
    : mapping_("endpoint") {
  mapping_.group(std::make_unique<EndpointAddressType>(), kAddressRow)
      .key<&Endpoint::weight>(number<uint32_t>(kWeightRange), kWeightRow)
      .key<&Endpoint::priority>(number<uint32_t>(kPriorityRange), kPriorityRow);
}

void EndpointType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind == Node::Kind::kMapping) {
    mapping_.read(reader, node, out);
  } else {
    EndpointAddressType().read(reader, node, out);
  }
}

Value EndpointType::to_value(const Config& config, const void* value) const {
  const auto& endpoint = *static_cast<const Endpoint*>(value);
  const Endpoint plain{.host = endpoint.host,
                       .port = endpoint.port,
                       .unix_path = endpoint.unix_path,
                       .weight = 1,
                       .priority = 0};
  return endpoint == plain ? EndpointAddressType().to_value(config, value)
                           : mapping_.to_value(config, value);
}

std::string EndpointType::schema() const {
  return EndpointAddressType().schema();
}

void InstanceLabelsType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind != Node::Kind::kMapping && node.kind != Node::Kind::kNull) {
    reader.error(node.mark, wrong_type("a " + name(), "{version: \"2.0\"}", node));
    return;
  }
  auto& labels = *static_cast<InstanceLabels*>(out);
  labels.clear();
  if (node.entries.size() > kInstanceLabelsMax) {
    reader.error(
        node.mark,
        {"E0185",
         fmt::format("{} labels are more than {}", node.entries.size(), kInstanceLabelsMax), ""});
    return;
  }
  for (const Node::Entry& entry : node.entries) {
    if (!is_instance_label_name(entry.key)) {
      reader.error(entry.mark, {"E0185", fmt::format("{} is no name of a label", quoted(entry.key)),
                                fmt::format("write at most {} letters, digits and ._/-",
                                            kInstanceLabelNameBytesMax)});
      continue;
    }
    const Reader::Scope scope(reader, entry.key);
    if (entry.value->kind != Node::Kind::kScalar) {
      reader.error(entry.value->mark, wrong_type("a text", "\"2.0\"", *entry.value));
      continue;
    }
    const std::optional<Scalar> value = reader.scalar(*entry.value);
    if (value && !is_instance_label_value(value->text)) {
      reader.error(entry.value->mark,
                   {"E0185", fmt::format("{} is no value of a label", quoted(value->text)),
                    fmt::format("write at most {} bytes without control characters",
                                kInstanceLabelValueBytesMax)});
    } else if (value) {
      labels.insert_or_assign(entry.key, value->text);
    }
  }
}

Value InstanceLabelsType::to_value(const Config& /*config*/, const void* value) const {
  Value out;
  out.kind = Value::Kind::kMapping;
  for (const auto& [name, text] : *static_cast<const InstanceLabels*>(value)) {
    out.entries.emplace_back(name, Value::string(text));
  }
  return out;
}

std::string InstanceLabelsType::limits() const {
  return fmt::format("at most {}", kInstanceLabelsMax);
}

std::string InstanceLabelsType::schema() const {
  return fmt::format(
      "\"type\":\"object\",\"maxProperties\":{},"
      "\"propertyNames\":{{\"pattern\":\"^[A-Za-z0-9._/-]{{1,{}}}$\"}},"
      "\"additionalProperties\":{{\"type\":[\"string\",\"number\",\"boolean\"]}}",
      kInstanceLabelsMax, kInstanceLabelNameBytesMax);
}

InstanceType::InstanceType()
    : mapping_("endpoint") {
  mapping_.key<&Instance::endpoint>(std::make_unique<EndpointAddressType>(), kAddressRow)
      .key<&Instance::endpoint, &Endpoint::weight>(number<uint32_t>(kWeightRange), kWeightRow)
      .key<&Instance::endpoint, &Endpoint::priority>(number<uint32_t>(kPriorityRange), kPriorityRow)
      .key<&Instance::labels>(std::make_unique<InstanceLabelsType>(), kLabelsRow);
}

void InstanceType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind == Node::Kind::kMapping) {
    mapping_.read(reader, node, out);
  } else {
    EndpointAddressType().read(reader, node, &static_cast<Instance*>(out)->endpoint);
  }
}

Value InstanceType::to_value(const Config& config, const void* value) const {
  const auto& instance = *static_cast<const Instance*>(value);
  return instance.labels.empty() ? EndpointType().to_value(config, &instance.endpoint)
                                 : mapping_.to_value(config, value);
}

}  // namespace hangu::config
