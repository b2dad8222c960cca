// Endpoints that stand outside of the config: in a file of their own, or each alone in a registry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/config/diagnostic.h"

namespace hangu::config {

struct EndpointFile {
  std::vector<Endpoint> endpoints;
  std::vector<Diagnostic> problems;  // with errors among them, `endpoints` mean nothing
};

/// A list in YAML, each element as in `endpoints` of an upstream. `name` stands for the file.
EndpointFile read_endpoint_file(std::string_view text, std::string_view name);

/// The same of a file that is there; one that cannot be read is a problem, too.
EndpointFile load_endpoint_file(const std::string& path);

/// "127.0.0.1:9000", "app.example.org:8080", "unix:/run/app.sock"; the error says what is wrong.
Result<Endpoint, std::string> parse_endpoint(std::string_view text);

/// The same again.
std::string format_endpoint(const Endpoint& endpoint);

inline constexpr size_t kEndpointFileBytesMax = 1024UL * 1024;

}  // namespace hangu::config
