// Trailer fields (RFC 9110 §6.5): which names have no business there. Constants only.
#pragma once

#include "hangu/http/header_name.h"

namespace hangu::http {

/// What routes, frames or authenticates a message must not come after its body (§6.5.1).
inline constexpr HeaderNameSet kNotInTrailers = header_name_set(
    HeaderName::kHost, HeaderName::kContentLength, HeaderName::kTransferEncoding,
    HeaderName::kConnection, HeaderName::kKeepAlive, HeaderName::kUpgrade, HeaderName::kExpect,
    HeaderName::kTe, HeaderName::kTrailer, HeaderName::kProxyConnection,
    HeaderName::kProxyAuthenticate, HeaderName::kProxyAuthorization, HeaderName::kAuthorization,
    HeaderName::kCookie, HeaderName::kSetCookie, HeaderName::kContentType,
    HeaderName::kContentEncoding, HeaderName::kContentRange, HeaderName::kCacheControl,
    HeaderName::kMaxForwards, HeaderName::kRange, HeaderName::kIfMatch, HeaderName::kIfNoneMatch,
    HeaderName::kIfModifiedSince, HeaderName::kIfUnmodifiedSince, HeaderName::kIfRange,
    HeaderName::kXForwardedFor, HeaderName::kXForwardedProto, HeaderName::kXForwardedHost,
    HeaderName::kXForwardedPort, HeaderName::kXForwardedPrefix, HeaderName::kForwarded,
    HeaderName::kXRealIp, HeaderName::kXRequestId, HeaderName::kTraceparent,
    HeaderName::kTracestate);

}  // namespace hangu::http
