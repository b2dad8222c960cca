#include "hangu/tls/ticket_keys.h"

#include <algorithm>

#include <openssl/rand.h>

#include "hangu/base/assert.h"

namespace hangu::tls {

const TicketKey* TicketKeys::find(const uint8_t* name) const noexcept {
  const auto is_it = [name](const TicketKey& key) {
    return std::equal(key.name.begin(), key.name.end(), name);
  };
  if (is_it(current)) {
    return &current;
  }
  const auto found = std::find_if(others.begin(), others.end(), is_it);
  return found != others.end() ? &*found : nullptr;
}

TicketKeys rotate(const TicketKeys* before) {
  TicketKeys keys;
  const bool made =
      RAND_bytes(keys.current.name.data(), keys.current.name.size()) == 1 &&
      RAND_priv_bytes(keys.current.cipher_key.data(), keys.current.cipher_key.size()) == 1 &&
      RAND_priv_bytes(keys.current.mac_key.data(), keys.current.mac_key.size()) == 1;
  HANGU_ASSERT(made);
  if (before != nullptr) {
    keys.others = {before->current};
  }
  return keys;
}

}  // namespace hangu::tls
