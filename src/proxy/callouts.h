// Callouts: the questions of filters that are under way on a shard. Owned by its Proxy.
#pragma once

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/object_pool.h"
#include "hangu/event/loop.h"
#include "hangu/filter/callout.h"

#include "proxy/callout_request.h"

namespace hangu::proxy {

class Callouts final : public filter::Callouts {
 public:
  explicit Callouts(event::Loop& loop);
  ~Callouts();

  Callouts(const Callouts&) = delete;
  Callouts& operator=(const Callouts&) = delete;

  filter::Callout& begin(filter::Stream& stream, const filter::CalloutTarget& target,
                         filter::CalloutAsker& asker) noexcept override;

  event::Loop& loop() { return loop_; }

  void ended(CalloutRequest& request) noexcept;

 private:
  /// At the end of the turn, when nothing of a stream is on the stack.
  struct Teller final : event::Deferred {
    explicit Teller(Callouts& callouts)
        : owner(callouts) {}

    void run_deferred() noexcept override { owner.tell(); }

    Callouts& owner;
  };

  void tell() noexcept;

  event::Loop& loop_;
  filter::SnapshotRef no_filters_;
  buffer::ObjectPool<CalloutRequest> requests_;
  IntrusiveList<CalloutRequest> live_;
  IntrusiveList<CalloutRequest> ended_;
  Teller teller_;
};

}  // namespace hangu::proxy
