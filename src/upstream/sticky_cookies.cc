#include "hangu/upstream/sticky_cookies.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/tls/keyed_hash.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

void StickyCookies::configure(const config::StickyCookie& config) {
  config_ = config;
  std::vector<Endpoint*> endpoints;
  for (const auto& [name, endpoint] : names_) {
    endpoints.push_back(endpoint);
  }
  make_names(endpoints);
}

void StickyCookies::set_endpoints(std::span<const std::unique_ptr<Endpoint>> endpoints) {
  std::vector<Endpoint*> all;
  for (const auto& endpoint : endpoints) {
    all.push_back(endpoint.get());
  }
  make_names(all);
}

void StickyCookies::make_names(std::span<Endpoint* const> endpoints) {
  names_.clear();
  for (Endpoint* endpoint : endpoints) {
    std::string name =
        config_.enabled ? tls::keyed_hash(config_.secret.text, endpoint->address_text()) : "";
    endpoint->set_cookie(
        {.name = name, .field = fmt::format("{}={}{}", config_.name, name, attributes())});
    names_.emplace_back(std::move(name), endpoint);
  }
  std::sort(names_.begin(), names_.end());
}

std::string StickyCookies::attributes() const {
  std::string text = "; Path=" + config_.path;
  if (config_.ttl != Duration::zero()) {
    text += fmt::format("; Max-Age={}",
                        std::chrono::duration_cast<std::chrono::seconds>(config_.ttl).count());
  }
  switch (config_.same_site) {
    case config::SameSite::kLax: text += "; SameSite=Lax"; break;
    case config::SameSite::kStrict: text += "; SameSite=Strict"; break;
    case config::SameSite::kNone: text += "; SameSite=None"; break;
  }
  text += config_.secure ? "; Secure" : "";
  text += config_.http_only ? "; HttpOnly" : "";
  return text;
}

Endpoint* StickyCookies::home(const filter::Stream& stream) const noexcept {
  const auto name = http::cookie(stream.request.headers, config_.name);
  if (!name) {
    return nullptr;
  }
  const auto found =
      std::lower_bound(names_.begin(), names_.end(), *name,
                       [](const auto& known, std::string_view text) { return known.first < text; });
  return found != names_.end() && found->first == *name ? found->second : nullptr;
}

void StickyCookies::lead_back(filter::Stream& stream, const Endpoint& endpoint) const noexcept {
  const auto had = http::cookie(stream.request.headers, config_.name);
  if (had != endpoint.cookie().name) {
    stream.response.headers.add_copy("set-cookie", endpoint.cookie().field);
  }
}

}  // namespace hangu::upstream
