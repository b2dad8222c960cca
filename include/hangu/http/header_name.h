// HeaderName: the fields the gateway knows, as small numbers, so that a field is found without
// comparing text. Names are found while a head is parsed, without hashing the whole name. Any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace hangu::http {

// At most 64, so that a set of them is one word.
enum class HeaderName : uint8_t {
  kOther,
  kHost,
  kContentLength,
  kTransferEncoding,
  kConnection,
  kKeepAlive,
  kUpgrade,
  kExpect,
  kTe,
  kTrailer,
  kProxyConnection,
  kProxyAuthenticate,
  kProxyAuthorization,
  kDate,
  kServer,
  kXForwardedFor,
  kXForwardedProto,
  kXForwardedHost,
  kXForwardedPort,
  kForwarded,
  kXRealIp,
  kXRequestId,
  kTraceparent,
  kTracestate,
  kUserAgent,
  kReferer,
  kAuthorization,
  kCookie,
  kSetCookie,
  kContentType,
  kContentEncoding,
  kContentLanguage,
  kContentLocation,
  kContentRange,
  kContentDisposition,
  kAccept,
  kAcceptEncoding,
  kAcceptLanguage,
  kAcceptRanges,
  kAge,
  kAllow,
  kCacheControl,
  kEtag,
  kExpires,
  kIfMatch,
  kIfModifiedSince,
  kIfNoneMatch,
  kIfRange,
  kIfUnmodifiedSince,
  kLastModified,
  kLocation,
  kMaxForwards,
  kOrigin,
  kPragma,
  kRange,
  kRetryAfter,
  kVary,
  kVia,
  kWwwAuthenticate,
  kXForwardedPrefix,
  kEarlyData,
  kCount,
};

/// A set of header names: bit (1 << name).
using HeaderNameSet = uint64_t;

constexpr HeaderNameSet bit_of(HeaderName name) noexcept {
  return HeaderNameSet{1} << static_cast<unsigned>(name);
}

template <class... Names>
constexpr HeaderNameSet header_name_set(Names... names) noexcept {
  return (bit_of(names) | ... | HeaderNameSet{0});
}

static_assert(static_cast<unsigned>(HeaderName::kCount) <= 64);

/// kOther for a name the gateway does not know. Upper and lower case are the same.
HeaderName header_name_from(std::string_view name) noexcept;

/// In lower case; empty for kOther.
std::string_view to_string(HeaderName name) noexcept;

}  // namespace hangu::http
