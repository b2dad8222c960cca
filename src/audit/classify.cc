#include "hangu/audit/classify.h"

#include <algorithm>
#include <array>

namespace hangu::audit {
namespace {

constexpr uint16_t kFirstError = 400;

struct Kind {
  std::string_view prefix;  // of the code
  Event event;
};

constexpr std::array kDenials = {
    Kind{"auth.", Event::kAuthenticationFailed}, Kind{"authz.", Event::kAuthorizationDenied},
    Kind{"rate_limit.", Event::kRateLimited}, Kind{"schema.", Event::kSchemaDenied}};

// Nobody was refused, but somebody has taken something away.
constexpr std::string_view kSessionsEnded = "auth.sessions_ended";

// Nobody was refused: the gateway or what is behind it could not.
constexpr std::array<std::string_view, 9> kFailures = {
    "audit.",  "client.closed", "client.timeout", "deadline", "draining",
    "filter.", "internal",      "overload.",      "upstream."};

}  // namespace

Verdict classify(std::string_view code, uint16_t status, bool by_filter) noexcept {
  if (code.empty() || status < kFirstError) {
    return {.event = Event::kRequest,
            .outcome = status < kFirstError ? Outcome::kOk : Outcome::kFailed,
            .security = code == kSessionsEnded};
  }
  const auto begins = [code](std::string_view prefix) { return code.starts_with(prefix); };
  if (std::any_of(kFailures.begin(), kFailures.end(), begins)) {
    return {.event = Event::kRequestFailed, .outcome = Outcome::kFailed, .security = by_filter};
  }
  const auto* kind = std::find_if(kDenials.begin(), kDenials.end(),
                                  [&](const Kind& each) { return begins(each.prefix); });
  return {.event = kind != kDenials.end() ? kind->event : Event::kRequestDenied,
          .outcome = Outcome::kDenied,
          .security = true};
}

}  // namespace hangu::audit
