#include "hangu/filter/route_filter.h"

#include <array>
#include <memory>

#include "hangu/filter/stream.h"
#include "hangu/policy/cors.h"

namespace hangu::filter {
namespace {

constexpr size_t kAllowBytesMax = 1024;

policy::RequestFacts facts_of(const Stream& stream) noexcept {
  return {.headers = &stream.request.headers,
          .query = stream.request.query,
          .client_ip = stream.info.client_ip};
}

policy::RouteMatchResult match(const Stream& stream, std::string_view method) noexcept {
  const http::RequestHead& request = stream.request;
  return stream.snapshot().route_table.match(request.host, request.path, method, facts_of(stream));
}

/// What the route's path captures of the request's, in the stream's arena.
void capture(const policy::PathMatcher& path, Stream& stream) {
  const size_t count = path.captures().size();
  auto* const values = reinterpret_cast<std::string_view*>(
      stream.arena().allocate(count * sizeof(std::string_view), alignof(std::string_view)));
  std::uninitialized_default_construct_n(values, count);
  path.capture(stream.request.path, {values, count});
  stream.info.captures = {.names = path.captures(), .values = {values, count}};
}

void choose(Stream& stream, const policy::RouteMatchResult& found) noexcept {
  stream.set_route(stream.snapshot().routes[found.route]);
  stream.info.upstream = stream.route()->config->upstream;
  stream.info.cluster = stream.route()->cluster;
  if (found.captor != nullptr) {
    capture(*found.captor, stream);
  }
}

/// Those who parse heads upstream may take less than the listener lets through.
void check_head(Stream& stream) noexcept {
  const uint32_t most = stream.route()->config->headers_bytes_max;
  if (most != 0 && stream.request.headers.bytes() > most) {
    stream.on_request_error(
        downstream_error(Errc::kHeadersTooLarge, "header fields over the route's limit"));
  }
}

/// A preflight belongs to the route of the method that it asks about, if that one answers it.
bool take_preflight(Stream& stream) noexcept {
  const std::string_view method =
      policy::preflight_method(stream.request.method, stream.request.headers);
  if (method.empty()) {
    return false;
  }
  const policy::RouteMatchResult found = match(stream, method);
  if (found.outcome != policy::RouteOutcome::kFound) {
    return false;
  }
  const config::Cors& cors = stream.snapshot().routes[found.route].config->cors;
  const bool answers = cors.enabled && cors.mode == config::Mode::kEnforce;
  if (answers) {
    choose(stream, found);
  }
  return answers;
}

}  // namespace

FilterStatus RouteFilter::on_request_headers(Stream& stream) const noexcept {
  using Outcome = policy::RouteOutcome;
  if (stream.snapshot().answers_preflights && take_preflight(stream)) {
    return FilterStatus::kContinue;
  }
  const policy::RouteMatchResult found = match(stream, stream.request.method_text);
  std::array<char, kAllowBytesMax> allow;
  http::LocalReply reply;
  switch (found.outcome) {
    case Outcome::kFound:
      choose(stream, found);
      check_head(stream);
      return FilterStatus::kContinue;
    case Outcome::kMethodNotAllowed:
      reply = http::local_reply_for(
          downstream_error(Errc::kMethodNotAllowed, "no route takes this method here"));
      reply.allow = stream.arena().copy(stream.snapshot().route_table.allowed_methods(
          stream.request.host, stream.request.path, facts_of(stream), allow));
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
