#include "hangu/policy/cors.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "hangu/http/text.h"

namespace hangu::policy {
namespace {

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& each : list) {
    out += out.empty() ? "" : ", ";
    out += each;
  }
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view wanted) noexcept {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

/// What may stand for the star: one or several labels of a host.
bool is_labels(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return http::is_alnum(c) || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

std::string_view preflight_method(http::Method method, const http::HeaderBlock& headers) noexcept {
  if (method != http::Method::kOptions || !headers.contains(http::HeaderName::kOrigin)) {
    return {};
  }
  const http::Header* asked = headers.find("access-control-request-method");
  return asked != nullptr ? asked->value() : std::string_view{};
}

CorsPolicy::CorsPolicy(const config::Cors& config)
    : config_(config),
      any_origin_(has(config.origins, "*")),
      any_method_(has(config.methods, "*")),
      any_header_(has(config.headers, "*")),
      methods_(joined(config.methods)),
      headers_(joined(config.headers)),
      expose_(joined(config.expose)) {
  for (const std::string& origin : config.origins) {
    const size_t star = origin.find('*');
    if (star == std::string::npos) {
      exact_.push_back(origin);
    } else if (origin != "*") {
      wildcards_.push_back({origin.substr(0, star), origin.substr(star + 1)});
    }
  }
  for (const std::string& pattern : config.patterns) {
    if (auto compiled = Pattern::compile(pattern)) {  // the loader has tried it
      patterns_.push_back(std::move(*compiled));
    }
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(config.max_age).count();
  max_age_ = std::to_string(seconds);
}

bool CorsPolicy::allows_origin(std::string_view origin) const noexcept {
  if (any_origin_ || has(exact_, origin)) {
    return true;
  }
  const auto takes = [origin](const Wildcard& wildcard) {
    const size_t fixed = wildcard.before.size() + wildcard.after.size();
    return origin.size() > fixed && origin.starts_with(wildcard.before) &&
           origin.ends_with(wildcard.after) &&
           is_labels(origin.substr(wildcard.before.size(), origin.size() - fixed));
  };
  return std::any_of(wildcards_.begin(), wildcards_.end(), takes) ||
         std::any_of(patterns_.begin(), patterns_.end(),
                     [origin](const Pattern& pattern) { return pattern.matches(origin); });
}

bool CorsPolicy::allows_method(std::string_view method) const noexcept {
  return any_method_ || has(config_.methods, method);
}

bool CorsPolicy::allows_headers(std::string_view names) const noexcept {
  if (any_header_) {
    return true;
  }
  while (!names.empty()) {
    const std::string_view name = http::next_list_element(names);
    const bool known = name.empty() || std::any_of(config_.headers.begin(), config_.headers.end(),
                                                   [name](const std::string& allowed) {
                                                     return http::equals_ignore_case(allowed, name);
                                                   });
    if (!known) {
      return false;
    }
  }
  return true;
}

std::optional<CorsRefusal> CorsPolicy::refusal(std::string_view origin, std::string_view method,
                                               std::string_view names) const noexcept {
  if (!allows_origin(origin)) {
    return kOtherOrigin;
  }
  if (!allows_method(method)) {
    return CorsRefusal{"cors.method", "pages of other origins may not use this method"};
  }
  if (!allows_headers(names)) {
    return CorsRefusal{"cors.headers", "pages of other origins may not send these fields"};
  }
  return std::nullopt;
}

}  // namespace hangu::policy
