#include "hangu/http/hop_by_hop.h"

#include "hangu/http/text.h"

namespace hangu::http {
namespace {

using enum HeaderName;

// Fields that end here whatever Connection says.
constexpr HeaderNameSet kHopByHop =
    header_name_set(kConnection, kKeepAlive, kTransferEncoding, kProxyConnection,
                    kProxyAuthenticate, kProxyAuthorization);

// The known fields that a Connection option may name: those above, and what has no meaning beyond
// the next hop. All other known fields are for everybody on the way.
constexpr HeaderNameSet kNameable =
    header_name_set(kConnection, kKeepAlive, kUpgrade, kTe, kTrailer, kProxyConnection,
                    kProxyAuthenticate, kProxyAuthorization);

bool may_be_named(std::string_view option, bool transfer_encoding_named) {
  const HeaderName token = header_name_from(option);
  if (token == kOther) {
    // Other forwarding fields, whoever invented them.
    constexpr std::string_view kForwardedPrefix = "x-forwarded-";
    return !equals_ignore_case(option.substr(0, kForwardedPrefix.size()), kForwardedPrefix);
  }
  return (bit_of(token) & kNameable) != 0 ||
         (token == kTransferEncoding && transfer_encoding_named);
}

bool is_option(std::string_view element) {
  return element.empty() || equals_ignore_case(element, "close") ||
         equals_ignore_case(element, "keep-alive");
}

void remove_named(HeaderBlock& headers, std::string_view list) {
  while (!list.empty()) {
    const std::string_view element = next_list_element(list);
    // Upgrade, TE and Trailer have their own rules.
    if (!is_option(element) && header_name_from(element) == kOther && may_be_named(element, true)) {
      headers.remove(kOther, element);
    }
  }
}

bool wants_trailers(const HeaderBlock& headers) {
  for (const Header& header : headers) {
    std::string_view list = header.token == kTe ? header.value() : std::string_view{};
    while (!list.empty()) {
      if (equals_ignore_case(next_list_element(list), "trailers")) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

bool parse_connection(std::string_view value, bool transfer_encoding_named,
                      ConnectionOptions& options) noexcept {
  while (!value.empty()) {
    const std::string_view element = next_list_element(value);
    if (equals_ignore_case(element, "keep-alive")) {
      options.keep_alive = true;
    } else if (equals_ignore_case(element, "close")) {
      options.close = true;
    } else if (equals_ignore_case(element, "upgrade")) {
      options.upgrade = true;
    } else if (!element.empty() &&
               (!is_token(element) || !may_be_named(element, transfer_encoding_named) ||
                ++options.named > kNamedMax)) {
      return false;
    }
  }
  return true;
}

void remove_hop_by_hop(HeaderBlock& headers, bool keep_upgrade) noexcept {
  if (headers.contains(kConnection)) {
    for (const Header& header : headers) {
      if (header.token == kConnection) {
        remove_named(headers, header.value());
      }
    }
  }
  headers.remove_any(keep_upgrade ? kHopByHop : kHopByHop | bit_of(kUpgrade));
  if (headers.contains(kTe)) {
    if (wants_trailers(headers)) {
      headers.set(kTe, "trailers");
    } else {
      headers.remove(kTe);
    }
  }
}

}  // namespace hangu::http
