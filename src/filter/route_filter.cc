#include "hangu/filter/route_filter.h"

#include "hangu/filter/stream.h"

namespace hangu::filter {

FilterStatus RouteFilter::on_request_headers(Stream& stream) const noexcept {
  using Outcome = policy::RouteOutcome;
  const http::RequestHead& request = stream.request;
  const policy::RouteMatchResult found = stream.snapshot().route_table.match(
      request.host, request.path, request.method_text,
      {.headers = &request.headers, .query = request.query, .client_ip = stream.info.client_ip});
  http::LocalReply reply;
  switch (found.outcome) {
    case Outcome::kFound:
      stream.set_route(stream.snapshot().routes[found.route]);
      stream.info.upstream = stream.route()->config->upstream;
      stream.info.cluster = stream.route()->cluster;
      return FilterStatus::kContinue;
    case Outcome::kMethodNotAllowed:
      reply = http::local_reply_for(
          downstream_error(Errc::kMethodNotAllowed, "no route takes this method here"));
      reply.allow = found.allow;
      break;
    case Outcome::kNoHost:
      if (stream.listener().config->unknown_host_status == 421) {
        reply = http::local_reply_for(
            downstream_error(Errc::kMisdirected, "this gateway does not serve the host"));
        break;
      }
      [[fallthrough]];
    case Outcome::kNoRoute:
      reply = http::local_reply_for(downstream_error(Errc::kNoRoute, "no route matches"));
      break;
  }
  stream.send_local_reply(reply, name());
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
