// Addresses of HTTP servers that the gateway itself asks, taken apart. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hangu::http {

struct HttpUrl {
  bool tls = false;
  std::string host;  // without brackets
  std::string port;
  std::string target = "/";
  std::string authority;  // of the Host field
};

/// nullopt: not http:// or https://. `default_port`: of one that names none; empty: the scheme's.
std::optional<HttpUrl> parse_http_url(std::string_view text, std::string_view default_port = {});

}  // namespace hangu::http
