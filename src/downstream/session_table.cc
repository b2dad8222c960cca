#include "hangu/downstream/session_table.h"

#include <utility>

#include "hangu/stats/shard_stats.h"

namespace hangu::downstream {

void ListenerContext::update(const filter::SnapshotRef& published,
                             const filter::ListenerRuntime& listener) {
  snapshot = published;
  runtime = &listener;
  const config::Listener& config = *listener.config;
  limits.request_line_bytes = config.limits.request_line_bytes;
  limits.header_line_bytes = config.limits.header_line_bytes;
  limits.headers_bytes = config.limits.headers_bytes;
  limits.headers_count = config.limits.headers_count;
  limits.allow_underscore = config.underscores == config::UnderscorePolicy::kAllow;
}

SessionTable::SessionTable(event::Loop& loop, filter::ShardContext& shard, size_t write_high,
                           size_t write_low)
    : loop_(loop),
      shard_(shard),
      write_high_(write_high),
      write_low_(write_low),
      graveyard_(*this) {}

SessionTable::~SessionTable() {
  close_all();
  empty_graveyard();
}

void SessionTable::accept(int fd, const net::Address& peer, ListenerContext& listener) {
  net::ConnectionPtr connection = net::Connection::adopt(loop_, shard_.small_blocks(), fd);
  if (connection == nullptr) {
    return;
  }
  auto session = std::make_unique<Http1Session>(*this, listener, std::move(connection), peer);
  Http1Session& added = *session.release();  // owned by sessions_
  sessions_.push_back(added);
  ++size_;
  shard_.stats().connections_accepted.add();
  shard_.stats().connections_active.add();
  added.begin();
  if (draining_) {
    added.drain();
  }
}

void SessionTable::drain() noexcept {
  draining_ = true;
  sessions_.for_each([](Http1Session& session) { session.drain(); });
}

void SessionTable::drain(const ListenerContext& listener) noexcept {
  sessions_.for_each([&](Http1Session& session) {
    if (session.belongs_to(listener)) {
      session.drain();
    }
  });
}

void SessionTable::close_all() noexcept {
  sessions_.for_each([](Http1Session& session) { session.close(); });
}

void SessionTable::bury(buffer::ObjectPool<filter::Stream>::Ptr stream) noexcept {
  ended_streams_.push_back(std::move(stream));
  loop_.defer(graveyard_);
}

void SessionTable::bury(Http1Session& session) noexcept {
  session.unlink();
  closed_.push_back(session);
  --size_;
  shard_.stats().connections_active.subtract();
  loop_.defer(graveyard_);
}

void SessionTable::empty_graveyard() noexcept {
  ended_streams_.clear();
  while (Http1Session* session = closed_.pop_front()) {
    std::unique_ptr<Http1Session>(session).reset();
  }
}

}  // namespace hangu::downstream
