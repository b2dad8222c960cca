#include "hangu/policy/forward_auth.h"

#include <string_view>

#include "hangu/http/text.h"

namespace hangu::policy {
namespace {

/// Whether a Cache-Control says that nobody is to keep the answer (RFC 9111 §5.2.2.5).
bool forbids_storing(std::string_view field) {
  while (!field.empty()) {
    if (http::equals_ignore_case(http::next_list_element(field), "no-store")) {
      return true;
    }
  }
  return false;
}

}  // namespace

AuthVerdict auth_verdict(int status) noexcept {
  if (status >= 200 && status < 300) {
    return AuthVerdict::kAllow;
  }
  return status >= 300 && status < 500 ? AuthVerdict::kRefuse : AuthVerdict::kError;
}

Duration decision_ttl(const config::DecisionCache& cache, AuthVerdict verdict,
                      const http::HeaderBlock& answer) noexcept {
  if (!cache.enabled || verdict == AuthVerdict::kError || answer.find("set-cookie") != nullptr) {
    return Duration::zero();
  }
  for (const http::Header& field : answer) {
    if (field.token == http::HeaderName::kCacheControl && forbids_storing(field.value())) {
      return Duration::zero();
    }
  }
  return verdict == AuthVerdict::kAllow ? cache.ttl : cache.deny_ttl;
}

uint32_t callout_depth(std::string_view value) noexcept {
  if (value.empty()) {
    return 0;
  }
  const bool digit = value.size() == 1 && value[0] >= '0' && value[0] <= '9';
  return digit ? static_cast<uint32_t>(value[0] - '0') : kCalloutDepthMax;
}

}  // namespace hangu::policy
