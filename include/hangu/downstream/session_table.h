// SessionTable: the client connections of one shard. The only place that destroys sessions and
// streams, at the end of the loop turn, when nothing of theirs is on the stack. Owned by its shard.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/object_pool.h"
#include "hangu/codec/http1/limits.h"
#include "hangu/downstream/http1_session.h"
#include "hangu/event/loop.h"
#include "hangu/filter/snapshot.h"
#include "hangu/filter/stream.h"

namespace hangu::downstream {

/// A listener as its sessions see it; lives as long as any of them. `snapshot` and `runtime` follow
/// the published config; a listener that was removed keeps its last.
struct ListenerContext {
  /// New requests follow this generation of the config from now on.
  void update(const filter::SnapshotRef& published, const filter::ListenerRuntime& listener);

  filter::SnapshotRef snapshot;
  const filter::ListenerRuntime* runtime = nullptr;
  codec::http1::Limits limits;
  size_t sessions = 0;
};

class SessionTable {
 public:
  SessionTable(event::Loop& loop, filter::ShardContext& shard, size_t write_high, size_t write_low);
  ~SessionTable();

  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  /// Takes an accepted socket.
  void accept(int fd, const net::Address& peer, ListenerContext& listener);
  /// Sessions answer what is in flight and end; all of them, or those of one listener.
  void drain() noexcept;
  void drain(const ListenerContext& listener) noexcept;
  void close_all() noexcept;

  size_t size() const { return size_; }

  // For the sessions.
  event::Loop& loop() { return loop_; }

  filter::ShardContext& shard() { return shard_; }

  bool draining() const { return draining_; }

  buffer::ObjectPool<filter::Stream>& streams() { return streams_; }

  void bury(buffer::ObjectPool<filter::Stream>::Ptr stream) noexcept;
  void bury(Http1Session& session) noexcept;

  size_t write_high_watermark() const { return write_high_; }

  size_t write_low_watermark() const { return write_low_; }

 private:
  struct Graveyard final : event::Deferred {
    explicit Graveyard(SessionTable& table)
        : owner(table) {}

    void run_deferred() noexcept override { owner.empty_graveyard(); }

    SessionTable& owner;
  };

  void empty_graveyard() noexcept;

  event::Loop& loop_;
  filter::ShardContext& shard_;
  size_t write_high_;
  size_t write_low_;
  buffer::ObjectPool<filter::Stream> streams_;
  std::vector<buffer::ObjectPool<filter::Stream>::Ptr> ended_streams_;
  IntrusiveList<Http1Session> sessions_;
  IntrusiveList<Http1Session> closed_;
  Graveyard graveyard_;
  size_t size_ = 0;
  bool draining_ = false;
};

}  // namespace hangu::downstream
