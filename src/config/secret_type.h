// SecretType: a text that is never printed: `${VARIABLE}`, `file:/path`, or written down, which is
// warned of.
#pragma once

#include "config/type.h"

namespace hangu::config {

class SecretType final : public TypeOf<Secret> {
 public:
  /// `bytes_min`: one of our own is long; a password of another system is what it is.
  explicit SecretType(size_t bytes_min = 1)
      : bytes_min_(bytes_min) {}

  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "secret"; }

  std::string limits() const override;

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }

 private:
  size_t bytes_min_;
};

}  // namespace hangu::config
