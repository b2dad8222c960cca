// keyed_hash: HMAC-SHA256, for names that nobody without the key can make or see through. Pure; not
// for the data path.
#pragma once

#include <string>
#include <string_view>

namespace hangu::tls {

/// In hexadecimal, the first 128 bits.
std::string keyed_hash(std::string_view key, std::string_view text);

}  // namespace hangu::tls
