// LoadMonitor: how busy one shard is: a heartbeat of its loop, whose lateness is how long what
// arrives waits for its turn. Joins that with what the control thread says of the whole process to
// the step that the shard has come to. Costs nothing unless `overload` is on. On its shard's
// thread.
#pragma once

#include "hangu/config/config.h"
#include "hangu/event/loop.h"
#include "hangu/policy/overload.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::server {

class LoadMonitor final : private event::Timer {
 public:
  class Handler {
   public:
    /// The shard's step has changed.
    virtual void on_step(policy::OverloadStep step) noexcept = 0;
    /// About once a second as long as the process is short of something, or connections queue.
    virtual void on_shrink() noexcept = 0;

   protected:
    ~Handler() = default;
  };

  LoadMonitor(event::Loop& loop, stats::ShardStats& stats, uint32_t shard, Handler& handler)
      : loop_(loop),
        stats_(stats),
        shard_(shard),
        handler_(handler) {}

  void configure(const config::Overload& overload) noexcept;
  void set_process_step(policy::OverloadStep step) noexcept;
  /// What the queue of connections to this shard calls for.
  void set_accept_step(policy::OverloadStep step) noexcept;

  policy::OverloadStep step() const { return step_; }

 private:
  void on_timer() noexcept override;
  void beat() noexcept;
  void join() noexcept;

  event::Loop& loop_;
  stats::ShardStats& stats_;
  uint32_t shard_;
  Handler& handler_;
  config::Overload overload_;
  policy::DelayWindow delays_;
  policy::StepTracker<Duration> tracker_;
  policy::OverloadStep process_step_ = policy::OverloadStep::kNone;
  policy::OverloadStep accept_step_ = policy::OverloadStep::kNone;
  policy::OverloadStep step_ = policy::OverloadStep::kNone;
  TimePoint due_{};
  TimePoint shrink_at_{};
};

}  // namespace hangu::server
