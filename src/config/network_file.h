// The type of keys that name a file with networks, one a line: it is read with the config.
#pragma once

#include <optional>
#include <string_view>

#include "config/type.h"

namespace hangu::config {

/// nullopt: it is no network, or has bits beyond its prefix. The common case of kCidrRule, fast.
std::optional<Network> parse_network(std::string_view text);

class NetworkFileType final : public TypeOf<NetworkFile> {
 public:
  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "file path"; }

  std::string limits() const override;

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }
};

}  // namespace hangu::config
