// TicketKeys: what session tickets are sealed with: the same keys on all shards, so that a client
// can resume on any of them, or on all nodes of a fleet. Immutable; rotation makes new ones, and
// the oldest key is forgotten.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace hangu::tls {

struct TicketKey {
  std::array<uint8_t, 16> name;  // in the ticket, in the clear
  std::array<uint8_t, 32> cipher_key;
  std::array<uint8_t, 32> mac_key;
};

struct TicketKeys {
  TicketKey current;              // seals and opens
  std::vector<TicketKey> others;  // open

  /// The key of that name, of 16 bytes; nullptr: not ours any more.
  const TicketKey* find(const uint8_t* name) const noexcept;
};

/// A new key in front of the current one of `before`, which may be null.
TicketKeys rotate(const TicketKeys* before);

}  // namespace hangu::tls
