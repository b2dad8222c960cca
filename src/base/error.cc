#include "hangu/base/error.h"

namespace hangu {

const char* to_string(Errc code) noexcept {
  switch (code) {
    case Errc::kNone: return "none";
    case Errc::kBadRequestLine: return "bad_request_line";
    case Errc::kBadHeader: return "bad_header";
    case Errc::kBadHost: return "bad_host";
    case Errc::kBadPath: return "bad_path";
    case Errc::kBadFraming: return "bad_framing";
    case Errc::kBadChunk: return "bad_chunk";
    case Errc::kBadVersion: return "bad_version";
    case Errc::kBadStatusLine: return "bad_status_line";
    case Errc::kBadProxyHeader: return "bad_proxy_header";
    case Errc::kUriTooLong: return "uri_too_long";
    case Errc::kHeadersTooLarge: return "headers_too_large";
    case Errc::kBodyTooLarge: return "body_too_large";
    case Errc::kExpectationFailed: return "expectation_failed";
    case Errc::kNotImplemented: return "not_implemented";
    case Errc::kConnectFailed: return "connect_failed";
    case Errc::kConnectTimeout: return "connect_timeout";
    case Errc::kReset: return "reset";
    case Errc::kUnexpectedEof: return "unexpected_eof";
    case Errc::kUnexpectedData: return "unexpected_data";
    case Errc::kTlsHandshake: return "tls_handshake";
    case Errc::kTlsCertificate: return "tls_certificate";
    case Errc::kTimeout: return "timeout";
    case Errc::kIdleTimeout: return "idle_timeout";
    case Errc::kClosedByUs: return "closed_by_us";
    case Errc::kNoRoute: return "no_route";
    case Errc::kMethodNotAllowed: return "method_not_allowed";
    case Errc::kMisdirected: return "misdirected";
    case Errc::kTooEarly: return "too_early";
    case Errc::kNoEndpoint: return "no_endpoint";
    case Errc::kOverflow: return "overflow";
    case Errc::kQueueTimeout: return "queue_timeout";
    case Errc::kDraining: return "draining";
    case Errc::kResource: return "resource";
    case Errc::kInternal: return "internal";
    case Errc::kSystem: return "system";
    case Errc::kInvalidArgument: return "invalid_argument";
  }
  return "unknown";
}

}  // namespace hangu
