#include "hangu/upstream/heads.h"

#include "hangu/http/hop_by_hop.h"

namespace hangu::upstream {

void prepare_request_head(filter::Stream& stream, bool upgrade) noexcept {
  http::remove_hop_by_hop(stream.request.headers, upgrade);
}

OutgoingRequest outgoing_request(filter::Stream& stream, const Endpoint& endpoint) noexcept {
  const http::RequestHead& request = stream.request;
  OutgoingRequest outgoing{
      .head = &request, .response = &stream.response, .arena = &stream.arena()};
  // An absolute target is for proxies; the upstream is an origin.
  if (stream.listener().config->forward_path == config::ForwardPath::kOriginal &&
      request.target.starts_with('/')) {
    outgoing.target = request.target;
  }
  if (!stream.info.forward_target.empty()) {
    outgoing.target = stream.info.forward_target;
  }
  if (!stream.info.forward_host.empty()) {
    outgoing.host = stream.info.forward_host;
  } else if (!stream.route()->config->preserve_host || request.authority.empty()) {
    outgoing.host = endpoint.host();
  }
  return outgoing;
}

void prepare_response_head(filter::Stream& stream) noexcept {
  http::ResponseHead& response = stream.response;
  http::remove_hop_by_hop(response.headers, response.status == 101);
}

}  // namespace hangu::upstream
