// SessionTable: the client connections of one shard. The only place that destroys sessions and
// streams, at the end of the loop turn, when nothing of theirs is on the stack. Owned by its shard.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/object_pool.h"
#include "hangu/codec/http1/limits.h"
#include "hangu/codec/http2/field_section.h"
#include "hangu/downstream/http2_session.h"
#include "hangu/downstream/leave.h"
#include "hangu/downstream/session.h"
#include "hangu/downstream/tunnel_pacer.h"
#include "hangu/event/loop.h"
#include "hangu/filter/snapshot.h"
#include "hangu/filter/stream.h"

namespace hangu::downstream {

/// How long an idle connection is kept once draining began: a request may be on its way, and a
/// client that hears our FIN before its answer counts it as failed.
inline constexpr Duration kDrainGrace = std::chrono::seconds(1);

/// How long an idle connection is kept whose next request is in the kernel already, unseen: a loop
/// that was held up meets its timers before it has received everything.
inline constexpr Duration kArrivedGrace = std::chrono::milliseconds(10);

/// A listener as its sessions see it; lives as long as any of them. `snapshot` and `runtime` follow
/// the published config; a listener that was removed keeps its last.
struct ListenerContext {
  /// New requests follow this generation of the config from now on.
  void update(const filter::SnapshotRef& published, const filter::ListenerRuntime& listener);

  filter::SnapshotRef snapshot;
  const filter::ListenerRuntime* runtime = nullptr;
  codec::http1::Limits limits;
  codec::http2::FieldLimits field_limits;
  size_t sessions = 0;
};

class SessionTable final : private event::PressureHandler {
 public:
  SessionTable(event::Loop& loop, filter::ShardContext& shard, size_t write_high, size_t write_low);
  ~SessionTable();

  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  /// Takes an accepted socket.
  void accept(int fd, const net::Address& peer, ListenerContext& listener);
  /// Takes an HTTP/1.1 connection over from another process, which had answered `requests` on it.
  void adopt(int fd, const Peer& peer, uint64_t requests, ListenerContext& listener);
  /// Sessions answer what is in flight and end, or pass to another process; all of them, or those
  /// of one listener, whose tunnels stay for ever if there is no end to `leave`.
  void drain(const Leave& leave) noexcept;
  void drain(const ListenerContext& listener, const Leave& leave) noexcept;
  /// The listener goes; it has no sessions any more.
  void forget(const ListenerContext& listener) noexcept;
  void close_all() noexcept;
  /// Ends a part of the idle sessions, those that came first.
  void shrink() noexcept;

  size_t size() const { return size_; }

  // For the sessions.
  event::Loop& loop() { return loop_; }

  filter::ShardContext& shard() { return shard_; }

  bool draining() const { return draining_; }

  /// While draining: whether idle connections stay for their next request.
  bool patient() const { return patient_; }

  /// Who takes idle connections over; nullptr: nobody.
  Successor* successor() const { return successor_; }

  /// Sessions of `listener`, or all; `visit` may end them.
  template <class Visit>
  void for_each(const ListenerContext* listener, Visit visit) {
    sessions_.for_each([&](Session& session) {
      if (listener == nullptr || session.belongs_to(*listener)) {
        visit(session);
      }
    });
  }

  buffer::ObjectPool<filter::Stream>& streams() { return streams_; }

  buffer::ObjectPool<Http2Stream>& http2_streams() { return http2_streams_; }

  void bury(buffer::ObjectPool<filter::Stream>::Ptr stream) noexcept;
  /// Of http2_streams(), released from its Ptr.
  void bury(Http2Stream& stream) noexcept;
  void bury(Session& session) noexcept;

  /// Puts `session` in the place of `before`, which ends, and lets it begin.
  void replace(Session& before, std::unique_ptr<Session> session, buffer::Slice&& seen,
               buffer::Slice&& data) noexcept;

  size_t write_high_watermark() const { return write_high_; }

  size_t write_low_watermark() const { return write_low_; }

 private:
  struct Graveyard final : event::Deferred {
    explicit Graveyard(SessionTable& table)
        : owner(table) {}

    void run_deferred() noexcept override { owner.empty_graveyard(); }

    SessionTable& owner;
  };

  // event::PressureHandler
  void on_pressure() noexcept override;

  void empty_graveyard() noexcept;

  event::Loop& loop_;
  filter::ShardContext& shard_;
  size_t write_high_;
  size_t write_low_;
  buffer::ObjectPool<filter::Stream> streams_;
  buffer::ObjectPool<Http2Stream> http2_streams_;  // each holds one of streams_
  std::vector<buffer::ObjectPool<filter::Stream>::Ptr> ended_streams_;
  std::vector<buffer::ObjectPool<Http2Stream>::Ptr> ended_http2_streams_;
  IntrusiveList<Session> sessions_;
  IntrusiveList<Session> closed_;
  Graveyard graveyard_;
  TimePoint progress_at_;  // when that of the sessions was asked for
  std::vector<std::unique_ptr<TunnelPacer>> pacers_;
  Successor* successor_ = nullptr;
  size_t size_ = 0;
  bool draining_ = false;
  bool patient_ = false;
};

}  // namespace hangu::downstream
