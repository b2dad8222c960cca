// KeyRing: secrets that the nodes of a fleet have in common, of which keys for session tickets and
// the like are derived. Which one seals stands in the ring, so that no node needs a clock for it: a
// new one is known for a while before it seals, and opens for a while after another one does. Who
// holds the election takes these steps. Pure but for the random numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/config_center.h"
#include "hangu/identity/sealer.h"

namespace hangu::fleet {

struct KeyRing {
  /// Times are Unix time in milliseconds, by the clock of who led then.
  struct Entry {
    std::string id;  // for people; says nothing of the secret
    int64_t created_ms = 0;
    int64_t replaced_ms = 0;  // 0: it has not been
    std::array<uint8_t, 32> secret{};

    bool operator==(const Entry&) const = default;
  };

  uint64_t generation = 0;     // grows with each step; 0: there is no ring
  bool pending = false;        // the newest one does not seal yet
  std::vector<Entry> entries;  // the newest first

  bool operator==(const KeyRing&) const = default;

  /// Entries, whatever becomes of time: each is a try for a cookie that none of them has sealed.
  static constexpr size_t kEntriesMax = 10;

  /// The one that seals; there has to be one.
  const Entry& sealing() const { return entries[pending ? 1 : 0]; }

  /// The one that seals, then the others.
  std::vector<std::string> secrets() const;
};

/// The step that is due; nothing: there is none. A clock that is set back makes what is newer than
/// it count from now; one that is set forward makes a step come early, and takes no more than two
/// old entries with it.
std::optional<KeyRing> advance(const KeyRing& ring, const config::SharedKeys& plan, WallTime now);

/// As it is stored: nobody reads it without the secret, and every change shows. Empty: it cannot be
/// sealed.
std::string seal(const KeyRing& ring, const identity::Sealer& sealer);

/// nullopt: it was sealed with another secret, or is none.
std::optional<KeyRing> open_ring(std::string_view text, const identity::Sealer& sealer);

/// Of the sealers of rings.
inline constexpr std::string_view kRingPurpose = "hangu fleet keys 1";

}  // namespace hangu::fleet
