// The keys of `openapi` of a route, and the description that it names.
#pragma once

#include "hangu/config/config.h"

#include "config/type.h"

namespace hangu::config {

class OpenApiFileType final : public TypeOf<OpenApiFile> {
 public:
  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "file path"; }

  std::string limits() const override { return "absolute; OpenAPI 3.0 or 3.1, YAML or JSON"; }

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }
};

TypePtr<OpenApi> openapi_keys();

}  // namespace hangu::config
