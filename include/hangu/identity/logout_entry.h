// LogoutEntry: that sessions are over, or that a logout token has been used, as it is kept over
// restarts and told to other nodes: digests and times, nobody's name. Plain data.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hangu/identity/digest.h"

namespace hangu::identity {

struct LogoutEntry {
  enum class Kind : uint8_t { kSessions = 1, kToken = 2 };

  Kind kind = Kind::kSessions;
  Digest scope{};    // of the authenticator
  Digest digest{};   // of whose sessions, or of the token; no two scopes have one in common
  int64_t at_s = 0;  // Unix time: what began then or before is over; of a token: when it was used
  int64_t until_s = 0;  // from then on it is of no interest

  bool operator==(const LogoutEntry&) const = default;
};

/// No entry is of interest for longer, whatever a token or a store says.
inline constexpr int64_t kLogoutKeptMaxS = int64_t{400} * 24 * 3600;

/// One of somebody else's: within what clocks may differ, and what anybody keeps.
inline LogoutEntry bounded(LogoutEntry entry, int64_t now_s) {
  constexpr int64_t kAheadMaxS = 300;
  entry.at_s = std::min(entry.at_s, now_s + kAheadMaxS);
  entry.until_s = std::min(entry.until_s, now_s + kLogoutKeptMaxS);
  return entry;
}

}  // namespace hangu::identity
