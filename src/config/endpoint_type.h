// EndpointType: a server of an upstream, as a text, or as a mapping that says more of it.
// InstanceType: the same outside of the config, where it may have labels.
#pragma once

#include "hangu/config/endpoint_file.h"

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

/// A mapping of names to texts.
class InstanceLabelsType final : public TypeOf<InstanceLabels> {
 public:
  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "mapping of labels"; }

  std::string limits() const override;
  std::string schema() const override;
};

class InstanceType final : public TypeOf<Instance> {
 public:
  InstanceType();

  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "endpoint"; }

 private:
  ObjectType<Instance> mapping_;
};

}  // namespace hangu::config
