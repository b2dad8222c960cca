#include "hangu/tls/ticket_keys.h"

#include <algorithm>

#include <openssl/rand.h>

#include "hangu/base/assert.h"

namespace hangu::tls {

const TicketKey* TicketKeys::find(const uint8_t* name) const noexcept {
  if (std::equal(current.name.begin(), current.name.end(), name)) {
    return &current;
  }
  const bool of_previous =
      previous && std::equal(previous->name.begin(), previous->name.end(), name);
  return of_previous ? &*previous : nullptr;
}

TicketKeys rotate(const TicketKeys* before) {
  TicketKeys keys;
  const bool made =
      RAND_bytes(keys.current.name.data(), keys.current.name.size()) == 1 &&
      RAND_priv_bytes(keys.current.cipher_key.data(), keys.current.cipher_key.size()) == 1 &&
      RAND_priv_bytes(keys.current.mac_key.data(), keys.current.mac_key.size()) == 1;
  HANGU_ASSERT(made);
  if (before != nullptr) {
    keys.previous = before->current;
  }
  return keys;
}

}  // namespace hangu::tls
