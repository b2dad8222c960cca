#include "hangu/filter/route_filter.h"

#include <array>
#include <memory>

#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

constexpr size_t kAllowBytesMax = 1024;

/// What the route's path captures of the request's, in the stream's arena.
void capture(const policy::PathMatcher& path, Stream& stream) {
  const size_t count = path.captures().size();
  auto* const values = reinterpret_cast<std::string_view*>(
      stream.arena().allocate(count * sizeof(std::string_view), alignof(std::string_view)));
  std::uninitialized_default_construct_n(values, count);
  path.capture(stream.request.path, {values, count});
  stream.info.captures = {.names = path.captures(), .values = {values, count}};
}

}  // namespace

FilterStatus RouteFilter::on_request_headers(Stream& stream) const noexcept {
  using Outcome = policy::RouteOutcome;
  const http::RequestHead& request = stream.request;
  const policy::RouteTable& table = stream.snapshot().route_table;
  const policy::RequestFacts facts{
      .headers = &request.headers, .query = request.query, .client_ip = stream.info.client_ip};
  const policy::RouteMatchResult found =
      table.match(request.host, request.path, request.method_text, facts);
  std::array<char, kAllowBytesMax> allow;
  http::LocalReply reply;
  switch (found.outcome) {
    case Outcome::kFound:
      stream.set_route(stream.snapshot().routes[found.route]);
      stream.info.upstream = stream.route()->config->upstream;
      stream.info.cluster = stream.route()->cluster;
      if (found.captor != nullptr) {
        capture(*found.captor, stream);
      }
      return FilterStatus::kContinue;
    case Outcome::kMethodNotAllowed:
      reply = http::local_reply_for(
          downstream_error(Errc::kMethodNotAllowed, "no route takes this method here"));
      reply.allow =
          stream.arena().copy(table.allowed_methods(request.host, request.path, facts, allow));
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
