// SecretType: a text that is never printed: `${VARIABLE}`, `file:/path`, or written down, which is
// warned of.
#pragma once

#include "config/type.h"

namespace hangu::config {

class SecretType final : public TypeOf<Secret> {
 public:
  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "secret"; }

  std::string limits() const override { return "at least 16 bytes; `${VARIABLE}`, `file:/path`"; }

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }
};

}  // namespace hangu::config
