// PluginConfigType: any mapping, kept as JSON for a plugin, with the place of each part. Texts may
// be `${VARIABLE}` or `file:/path` and are secret then. Plain scalars have the types of YAML's core
// schema, quoted ones are texts.
#pragma once

#include "config/type.h"

namespace hangu::config {

SourcePlace place_of(Mark mark);

class PluginConfigType final : public TypeOf<PluginConfig> {
 public:
  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "mapping"; }

  std::string limits() const override { return "what the plugin says; at most 64 KiB as JSON"; }

  std::string schema() const override { return "\"type\":\"object\""; }
};

}  // namespace hangu::config
