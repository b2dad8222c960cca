// NoIdentity: what a SnapshotBuilder needs of those who know clients, for configs in which nobody
// is asked who they are. For tests and benches.
#pragma once

#include <string>
#include <string_view>

#include "hangu/filter/jwt_keys.h"
#include "hangu/filter/password_checker.h"

namespace hangu::server {

struct NoIdentity final : filter::JwtKeys::Fetcher, filter::PasswordChecker {
  void want_keys(const std::string&) noexcept override {}

  Receipt check(filter::PasswordQuestion&&) noexcept override { return {}; }

  std::string_view secret() const noexcept override { return {}; }
};

}  // namespace hangu::server
