#include "hangu/filter/callout.h"

#include "hangu/filter/stream.h"
#include "hangu/policy/forward_auth.h"

namespace hangu::filter {
namespace {

std::shared_ptr<const config::Route> make_route(Duration timeout) {
  auto route = std::make_shared<config::Route>();
  route->name = "callout";
  route->timeout = timeout;
  route->stream_idle_timeout = timeout;
  route->body_bytes_max = 0;
  route->upgrades = false;
  route->preserve_host = false;  // the question is the gateway's, not the client's
  return route;
}

}  // namespace

uint32_t callout_depth(const Stream& stream) noexcept {
  const http::Header* const mark = stream.request.headers.find(kCalloutMark);
  return policy::callout_depth(mark != nullptr ? mark->value() : std::string_view{});
}

SnapshotRef without_filters() {
  return SnapshotRef(std::make_shared<const Snapshot>());
}

CalloutTarget::CalloutTarget(uint32_t cluster, Duration timeout, uint64_t answer_bytes_max)
    : timeout_(timeout),
      answer_bytes_max_(answer_bytes_max) {
  route_.route = make_route(timeout);
  route_.config = route_.route.get();
  route_.cluster = cluster;
}

}  // namespace hangu::filter
