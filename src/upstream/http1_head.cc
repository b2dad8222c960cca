#include "hangu/upstream/http1_head.h"

#include "hangu/codec/http1/serialiser.h"
#include "hangu/http/hop_by_hop.h"

namespace hangu::upstream {

buffer::Slice make_request_head(filter::Stream& stream, const Endpoint& endpoint,
                                bool upgrade) noexcept {
  http::RequestHead& request = stream.request;
  http::remove_hop_by_hop(request.headers, upgrade);
  const config::Route& route = *stream.route()->config;
  codec::http1::RequestFraming framing{
      .framing = request.framing, .content_length = request.content_length, .upgrade = upgrade};
  // An absolute target is for proxies; the upstream is an origin.
  if (stream.listener().config->forward_path == config::ForwardPath::kOriginal &&
      request.target.starts_with('/')) {
    framing.target = request.target;
  }
  if (!route.preserve_host || request.authority.empty()) {
    framing.host = endpoint.host();
  }
  return codec::http1::serialise_request_head(request, framing, stream.arena());
}

void prepare_response_head(filter::Stream& stream) noexcept {
  http::ResponseHead& response = stream.response;
  http::remove_hop_by_hop(response.headers, response.status == 101);
}

}  // namespace hangu::upstream
