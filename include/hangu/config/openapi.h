// Requests that have to be as an OpenAPI description says. Part of Config.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "hangu/config/mode.h"
#include "hangu/openapi/document.h"

namespace hangu::config {

/// A description; read and compiled with the config, one object for all who name it.
struct OpenApiFile {
  std::string path;
  std::array<uint64_t, 2> hash{};  // of the contents
  std::shared_ptr<const openapi::Document> document;

  bool operator==(const OpenApiFile& other) const {
    return path == other.path && hash == other.hash;
  }
};

struct OpenApi {
  bool enabled = false;
  OpenApiFile file;
  std::string base_path;      // empty: that of the description's server
  bool pass_unknown = false;  // paths and methods that are not described
  bool pass_large = false;    // bodies over the limit; else 413
  uint64_t body_bytes_max = uint64_t{1} << 20;
  uint32_t errors_max = 8;  // that are told
  Mode mode = Mode::kEnforce;
  bool operator==(const OpenApi&) const = default;
};

}  // namespace hangu::config
