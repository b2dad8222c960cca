// Query strings and URLs of the control plane: taken apart, percent-decoded. Pure; any thread. Not
// for traffic: the data plane's rules are stricter and live in http/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::admin {

using QueryFields =
    std::vector<std::pair<std::string, std::string>>;  // in their order, repeats kept

/// "a=1&b=x%20y"; nullopt when an escape is broken.
std::optional<QueryFields> parse_query(std::string_view query);

/// Escapes all but unreserved characters.
std::string percent_encode(std::string_view text);

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, no trailing dot; an IPv6 literal keeps its brackets
  uint16_t port = 0;   // the scheme's own when not said
  std::string path;    // as written, at least "/"
  std::string query;   // without "?"
};

/// "https://host:port/path?query"; without a scheme, http is meant: "host/path". The error says
/// why.
Result<Url, std::string> parse_url(std::string_view text);

}  // namespace hangu::admin
