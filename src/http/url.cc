#include "hangu/http/url.h"

#include <utility>

namespace hangu::http {

std::optional<HttpUrl> parse_http_url(std::string_view text, std::string_view default_port) {
  HttpUrl url;
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  url.tls = text.starts_with(kHttps);
  if (!url.tls && !text.starts_with(kHttp)) {
    return std::nullopt;
  }
  text.remove_prefix(url.tls ? kHttps.size() : kHttp.size());
  const size_t path = text.find_first_of("/?");
  if (path != std::string_view::npos) {
    url.target =
        text[path] == '?' ? "/" + std::string(text.substr(path)) : std::string(text.substr(path));
    text = text.substr(0, path);
  }
  url.authority = std::string(text);
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view of_scheme = url.tls ? "443" : "80";
  url.port = has_port ? text.substr(colon + 1) : (default_port.empty() ? of_scheme : default_port);
  text = has_port ? text.substr(0, colon) : text;
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  url.host = std::string(text);
  return url.host.empty() || url.port.empty() ? std::nullopt : std::optional(std::move(url));
}

}  // namespace hangu::http
