// The part of an Exchange that keeps to deadlines: how long a request may take, as its client or
// the hop before says, and what the upstream hears of that.
#include <algorithm>

#include "hangu/base/parse.h"
#include "hangu/buffer/decimal_text.h"
#include "hangu/http/grpc.h"
#include "hangu/proxy/proxy.h"

#include "proxy/exchange.h"

namespace hangu::proxy {
namespace {

constexpr std::string_view kGrpcTimeout = "grpc-timeout";
constexpr std::string_view kRequestTimeout = "x-request-timeout-ms";
constexpr uint64_t kRequestTimeoutMaxMs = 24ULL * 3600 * 1000;

}  // namespace

/// Both count from when the request came: filters and queues take their part of it.
void Exchange::find_deadline() noexcept {
  const config::DeadlineField& field = stream_->route()->config->deadline;
  http::HeaderBlock& headers = stream_->request.headers;
  const TimePoint begin = stream_->info.request_received;
  if (stream_->info.grpc) {
    if (const http::Header* timeout = headers.find(kGrpcTimeout)) {
      const auto parsed = http::parse_grpc_timeout(timeout->value());
      deadline_ = parsed ? begin + *parsed : TimePoint{};
    }
  }
  if (!field.accept || upgrade_) {
    return;
  }
  if (!stream_->info.peer_trusted) {
    headers.remove(kRequestTimeout);
  } else if (const http::Header* timeout = headers.find(kRequestTimeout)) {
    if (const auto ms = parse_decimal(timeout->value(), kRequestTimeoutMaxMs)) {
      const TimePoint given = begin + std::chrono::milliseconds(*ms);
      deadline_ = deadline_ == TimePoint{} ? given : std::min(deadline_, given);
    }
  }
}

/// Before each try: what is left. 0 would mean no limit to some.
void Exchange::forward_deadline() noexcept {
  const config::Route& route = *stream_->route()->config;
  const TimePoint now = proxy_.loop().now();
  buffer::Arena& arena = stream_->arena();
  http::HeaderBlock& headers = stream_->request.headers;
  if (stream_->info.grpc && deadline_ != TimePoint{}) {
    char* const text = arena.allocate(http::kGrpcTimeoutChars, 1);
    const size_t size = http::write_grpc_timeout(deadline_ - now, text);
    static_cast<void>(headers.set(kGrpcTimeout, {text, size}));
  }
  if (!route.deadline.forward) {
    return;
  }
  const bool bounded = !stream_->info.grpc && route.timeout != Duration::zero();
  TimePoint end = bounded ? stream_->info.request_received + route.timeout : TimePoint{};
  if (deadline_ != TimePoint{}) {
    end = bounded ? std::min(end, deadline_) : deadline_;
  }
  if (end == TimePoint{}) {
    headers.remove(kRequestTimeout);
    return;
  }
  const int64_t ms = std::max<int64_t>((end - now) / std::chrono::milliseconds(1), 1);
  static_cast<void>(
      headers.set(kRequestTimeout, buffer::decimal_text(static_cast<uint64_t>(ms), arena)));
}

}  // namespace hangu::proxy
