// Hop-by-hop fields (RFC 9110 §7.6.1): what `Connection` says and which fields must not travel on.
// A peer may not name an end-to-end field there to have it removed: parsers refuse that with
// parse_connection(). Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/http/header_block.h"

namespace hangu::http {

/// The options of all `Connection` fields of a message together.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  uint8_t named = 0;  // other fields, at most kNamedMax
};

/// More fields than this nobody needs to name.
inline constexpr uint8_t kNamedMax = 32;

/// Adds the options of one field value. False when it is no list of tokens, or names a field that
/// is not the sender's to remove (Host, Content-Length, Authorization, X-Forwarded-For ...).
/// `transfer_encoding_named`: whether that one may be named, which responses in the wild do.
bool parse_connection(std::string_view value, bool transfer_encoding_named,
                      ConnectionOptions& options) noexcept;

/// Removes Connection, the fields that it names, Keep-Alive, Proxy-*, TE (but for "trailers"),
/// Transfer-Encoding and Upgrade. Trailer stays. `keep_upgrade`: a protocol switch passes on, so
/// Upgrade stays.
void remove_hop_by_hop(HeaderBlock& headers, bool keep_upgrade = false) noexcept;

}  // namespace hangu::http
