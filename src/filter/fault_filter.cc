#include "hangu/filter/fault_filter.h"

#include <memory>
#include <utility>

#include "hangu/event/timer.h"
#include "hangu/filter/stream.h"
#include "hangu/policy/choice.h"

#include "filter/action_counters.h"

namespace hangu::filter {

/// A request that waits. In the stream's arena until the time has come or the stream is over.
class DelayedRequest final : public event::Timer {
 public:
  DelayedRequest(Stream& stream, const FaultFilter* abort, stats::Gauge& delayed)
      : stream_(stream),
        abort_(abort),
        delayed_(delayed) {
    delayed_.add();
  }

  ~DelayedRequest() override {
    if (waiting_) {
      delayed_.subtract();
    }
  }

 private:
  void on_timer() noexcept override {
    waiting_ = false;
    delayed_.subtract();
    stream_.kept.delayed = nullptr;
    if (abort_ != nullptr) {
      abort_->abort(stream_);
    } else {
      stream_.resume_request();
    }
  }

  Stream& stream_;
  const FaultFilter* abort_;  // nullptr: the request goes on
  stats::Gauge& delayed_;
  bool waiting_ = true;
};

FilterStatus FaultFilter::on_request_headers(Stream& stream) const noexcept {
  ShardContext& shard = stream.shard();
  const bool delays =
      config_.delay != Duration::zero() && policy::is_chosen(config_.delay_percent, shard.random());
  const bool aborts =
      config_.abort_status != 0 && policy::is_chosen(config_.abort_percent, shard.random());
  if (!delays && !aborts) {
    return FilterStatus::kContinue;
  }
  if (config_.mode == config::Mode::kShadow) {
    action_counters(stream).faults_shadow.add();
    stream.note_shadow(name());
    return FilterStatus::kContinue;
  }
  if (delays && delay(stream, aborts)) {
    return FilterStatus::kPause;
  }
  if (aborts) {
    abort(stream);
  }
  return FilterStatus::kContinue;
}

/// False: too many wait.
bool FaultFilter::delay(Stream& stream, bool then_abort) const noexcept {
  stats::RouteActionCounters& counters = action_counters(stream);
  if (counters.delayed.value() >= config_.delayed_max) {
    counters.faults_skipped.add();
    return false;
  }
  counters.faults_delayed.add();
  char* const place = stream.arena().allocate(sizeof(DelayedRequest), alignof(DelayedRequest));
  stream.kept.delayed = std::construct_at(reinterpret_cast<DelayedRequest*>(place), stream,
                                          then_abort ? this : nullptr, counters.delayed);
  stream.kept.delayed->arm(stream.shard().timers(), config_.delay);
  return true;
}

void FaultFilter::abort(Stream& stream) const noexcept {
  action_counters(stream).faults_aborted.add();
  stream.send_local_reply({.status = static_cast<int>(config_.abort_status),
                           .code = "fault.abort",
                           .detail = "a fault made on purpose",
                           .grpc_status = static_cast<int>(config_.abort_grpc_status)},
                          name());
}

void FaultFilter::on_stream_end(Stream& stream) const noexcept {
  if (DelayedRequest* delayed = std::exchange(stream.kept.delayed, nullptr)) {
    std::destroy_at(delayed);
  }
}

}  // namespace hangu::filter
