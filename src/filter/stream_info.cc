#include "hangu/filter/stream_info.h"

namespace hangu::filter {

std::string_view to_string(ClientIpSource source) noexcept {
  switch (source) {
    case ClientIpSource::kPeer: return "peer";
    case ClientIpSource::kProxyProtocol: return "proxy_protocol";
    case ClientIpSource::kForwardedFor: return "xff";
  }
  return "peer";
}

std::string_view to_string(StreamFailure failure) noexcept {
  switch (failure) {
    case StreamFailure::kNone: return "";
    case StreamFailure::kClientClosed: return "client_closed";
    case StreamFailure::kUpstream: return "upstream";
    case StreamFailure::kTimeout: return "timeout";
    case StreamFailure::kInternal: return "internal";
  }
  return "";
}

}  // namespace hangu::filter
