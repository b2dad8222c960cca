// EndpointType: a server of an upstream, as a text, or as a mapping that says more of it.
#pragma once

#include "config/type.h"

namespace hangu::config {

class EndpointType final : public TypeOf<Endpoint> {
 public:
  EndpointType();

  void read(Reader& reader, const Node& node, void* out) const override;
  /// As a text where that says all.
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "endpoint"; }

  /// Of the text.
  std::string schema() const override;

  const Fields* fields() const override { return mapping_.fields(); }

 private:
  ObjectType<Endpoint> mapping_;
};

}  // namespace hangu::config
