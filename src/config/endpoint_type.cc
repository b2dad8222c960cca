#include "config/endpoint_type.h"

#include "hangu/config/endpoint_file.h"

#include "config/keys.h"
#include "config/rules.h"

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

}  // namespace

EndpointType::EndpointType()
    : mapping_("endpoint") {
  mapping_
      .group(std::make_unique<EndpointAddressType>(),
             {.name = "address",
              .documentation = "Where it is. An endpoint of which nothing else is said may be this "
                               "text alone.",
              .example = "127.0.0.1:9000",
              .required = true})
      .key<&Endpoint::weight>(number<uint32_t>({1, kEndpointWeightMax}),
                              {.name = "weight",
                               .documentation = "Its share of the requests, beside the others of "
                                                "its priority.",
                               .example = "3"})
      .key<&Endpoint::priority>(
          number<uint32_t>({0, kPriorityMax}),
          {.name = "priority",
           .documentation = "Requests go to the endpoints of the lowest number; to those of the "
                            "next one as these lose health: when less than 5 of 7 are well.",
           .example = "1"});
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

}  // namespace hangu::config
