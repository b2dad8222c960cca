// KeyKeeper: the ring that is in force on a node, beside the one in the store, and what the node
// that holds the election is to write there. What cannot be opened, or is older, is refused, and
// what is in force stays. Nothing is in force before it stands in the store, so that a write that
// comes to nothing changes nothing. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/config_center.h"
#include "hangu/fleet/key_ring.h"

namespace hangu::fleet {

/// Whether one of the others has newer keys, and should lead in place of a node with these.
bool is_behind(uint64_t generation, const std::vector<uint64_t>& peers);

/// What the ring of a fleet is sealed for.
std::string ring_purpose(std::string_view fleet);

class KeyKeeper {
 public:
  /// `plan` has secrets. `fleet`: its prefix in the store; the keys of another one do not open.
  /// `settles`: within it every node that lives is back in a store that was emptied.
  explicit KeyKeeper(config::SharedKeys plan, std::string_view fleet = {}, Duration settles = {});

  /// With what was in force before a restart; of no effect when it cannot be opened.
  void begin_with(std::string_view text);

  /// What the store has now; none: nothing. Whether other keys are in force.
  bool take(std::optional<std::string_view> text);

  /// This node does not lead: what it has seen as the leader is no more.
  void stand_back();

  /// What is to be written in the place of what was taken; nothing: it stays. `peers`: generations
  /// that the other nodes have, see generation(). A ring that this node cannot open is replaced
  /// only when no node has been able to open it for a whole `rotation`. Where there is none and
  /// this node has none, it makes the first one: at once in a fleet that is new as far as it knows,
  /// but if it has seen a ring before, when the store has had none for all of `settles` and no node
  /// is back that has one.
  std::optional<std::string> to_write(const std::vector<uint64_t>& peers, WallTime wall,
                                      TimePoint now);

  const KeyRing& ring() const { return ring_; }

  /// As it stands in the store; empty: no ring is in force.
  const std::string& text() const { return text_; }

  /// Of the ring in force; 0: there is none, or the store has one that cannot be opened.
  uint64_t generation() const;

  /// Why the ring in the store is not in force; empty: it is, or there is none.
  const std::string& error() const { return error_; }

 private:
  enum class Stored : uint8_t { kUnknown, kNothing, kGood, kOldSecret, kOlder, kUnreadable };

  bool may_make_the_first(const std::vector<uint64_t>& peers, TimePoint now);
  std::optional<std::string> sealed(const std::optional<KeyRing>& ring) const;

  config::SharedKeys plan_;
  identity::Sealer first_;  // by the first secret alone
  identity::Sealer all_;
  Duration settles_;
  bool saw_ring_ = false;  // in the store or before a restart, be it that it cannot be opened
  KeyRing ring_;
  std::string text_;
  std::string seen_;  // in the store, looked at last
  Stored stored_ = Stored::kUnknown;
  std::string error_;
  // As far as this node has led:
  std::optional<TimePoint> unreadable_since_;  // by everybody
  std::optional<TimePoint> nothing_since_;     // nobody has keys
  TimePoint looked_;                           // last, whether anybody has
};

}  // namespace hangu::fleet
