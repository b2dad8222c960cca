// Mirrors: the copies of requests that are under way on a shard. Owned by its Proxy.
#pragma once

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/object_pool.h"
#include "hangu/event/loop.h"
#include "hangu/filter/mirror.h"

#include "proxy/mirror_request.h"

namespace hangu::proxy {

class Proxy;

class Mirrors final : public filter::Mirrors {
 public:
  Mirrors(Proxy& proxy, event::Loop& loop)
      : proxy_(proxy),
        loop_(loop),
        graveyard_(*this) {}

  ~Mirrors();

  Mirrors(const Mirrors&) = delete;
  Mirrors& operator=(const Mirrors&) = delete;

  filter::RequestCopy* begin(filter::Stream& stream,
                             const filter::MirrorTarget& target) noexcept override;

  event::Loop& loop() { return loop_; }

  void retire(MirrorRequest& request) noexcept;

 private:
  struct Graveyard final : event::Deferred {
    explicit Graveyard(Mirrors& mirrors)
        : owner(mirrors) {}

    void run_deferred() noexcept override { owner.bury(); }

    Mirrors& owner;
  };

  void bury() noexcept;

  Proxy& proxy_;
  event::Loop& loop_;
  buffer::ObjectPool<MirrorRequest> requests_;
  IntrusiveList<MirrorRequest> live_;
  IntrusiveList<MirrorRequest> ended_;
  Graveyard graveyard_;
};

}  // namespace hangu::proxy
