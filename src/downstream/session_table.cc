#include "hangu/downstream/session_table.h"

#include <algorithm>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/downstream/http1_session.h"
#include "hangu/downstream/opening.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::downstream {
namespace {

// While memory is short a client should take what waits for it within so many intervals.
constexpr size_t kDrainIntervals = 8;
// What a session holds at least when it holds anything: blocks are not shared.
constexpr size_t kHeldMin = 64 * 1024;
// Of the idle sessions one in so many ends each time that the table shrinks.
constexpr size_t kShrinkPart = 4;

}  // namespace

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
  field_limits.target_bytes = limits.request_line_bytes;
  field_limits.line_bytes = limits.header_line_bytes;
  field_limits.list_bytes = limits.headers_bytes;
  field_limits.count = limits.headers_count;
  field_limits.allow_underscore = limits.allow_underscore;
}

Session::Session(SessionTable& table, ListenerContext& listener)
    : table_(table),
      listener_(listener) {
  ++listener_.sessions;
}

Session::~Session() {
  uncount();
}

filter::TlsView Session::tls_view(const net::SecurityLayer* security) noexcept {
  if (security == nullptr) {
    return {};
  }
  const net::SecurityDetails& details = security->details();
  return {.protocol = details.protocol,
          .cipher = details.cipher,
          .server_name = details.server_name,
          .client_subject = details.peer_subject,
          .client_names = details.peer_names,
          .client_fingerprint = details.peer_fingerprint,
          .early = security->early()};
}

Session::Progress Session::progress() noexcept {
  const uint64_t sent = sent_bytes();
  return {.taken = sent - std::exchange(sent_mark_, sent), .held = held_bytes()};
}

void Session::uncount() noexcept {
  if (std::exchange(counted_, false)) {
    --listener_.sessions;
  }
}

SessionTable::SessionTable(event::Loop& loop, filter::ShardContext& shard, size_t write_high,
                           size_t write_low)
    : loop_(loop),
      shard_(shard),
      write_high_(write_high),
      write_low_(write_low),
      graveyard_(*this) {
  loop_.set_pressure_handler(this);
}

SessionTable::~SessionTable() {
  loop_.set_pressure_handler(nullptr);
  close_all();
  empty_graveyard();
}

void SessionTable::accept(int fd, const net::Address& peer, ListenerContext& listener) {
  net::ConnectionPtr connection = net::Connection::adopt(loop_, shard_.small_blocks(), fd);
  if (connection == nullptr) {
    return;
  }
  auto session = std::make_unique<Opening>(*this, listener, std::move(connection), peer);
  Session& added = *session.release();  // owned by sessions_
  sessions_.push_back(added);
  ++size_;
  shard_.stats().connections_accepted.add();
  shard_.stats().connections_active.add();
  added.begin(buffer::Slice{}, buffer::Slice{});
  if (draining_) {
    added.drain();
  }
}

void SessionTable::adopt(int fd, const Peer& peer, uint64_t requests, ListenerContext& listener) {
  net::ConnectionPtr connection = net::Connection::adopt(loop_, shard_.small_blocks(), fd);
  connection->set_watermarks(write_high_, write_low_);
  auto session = std::make_unique<Http1Session>(*this, listener, std::move(connection), peer);
  Http1Session& added = *session.release();  // owned by sessions_
  sessions_.push_back(added);
  ++size_;
  shard_.stats().connections_accepted.add();
  shard_.stats().connections_active.add();
  added.go_on(requests);
  if (draining_) {
    added.drain();
  }
}

void SessionTable::drain(const Leave& leave) noexcept {
  draining_ = true;
  patient_ = leave.patient;
  successor_ = leave.successor;
  for_each(nullptr, [](Session& session) { session.drain(); });
  if (leave.spread != Duration::zero()) {
    pacers_.push_back(std::make_unique<TunnelPacer>(*this, leave, nullptr, false));
  }
}

void SessionTable::drain(const ListenerContext& listener, const Leave& leave) noexcept {
  for_each(&listener, [](Session& session) { session.drain(); });
  std::erase_if(pacers_, [](const auto& pacer) { return pacer->done(); });
  if (leave.within != Duration::zero()) {
    pacers_.push_back(std::make_unique<TunnelPacer>(*this, leave, &listener, true));
  }
}

void SessionTable::forget(const ListenerContext& listener) noexcept {
  std::erase_if(pacers_, [&](const auto& pacer) { return pacer->listener() == &listener; });
}

/// Clients that would take long for what waits for them make room for all others, those with the
/// most first.
void SessionTable::on_pressure() noexcept {
  struct Slow {
    Session* session;
    size_t held;
  };

  std::vector<Slow> slow;
  const bool fresh = loop_.now() - progress_at_ < 3 * event::kRelieveInterval;
  progress_at_ = loop_.now();
  sessions_.for_each([&](Session& session) {
    const Session::Progress progress = session.progress();
    if (fresh && progress.taken * kDrainIntervals < progress.held) {
      slow.push_back({&session, progress.held});
    }
  });
  std::sort(slow.begin(), slow.end(), [](const Slow& a, const Slow& b) { return a.held > b.held; });
  const size_t wanted = loop_.excess_bytes();
  size_t freed = 0;
  size_t shed = 0;
  for (const Slow& found : slow) {
    if (freed >= wanted) {
      break;
    }
    found.session->close();
    freed += std::max(found.held, kHeldMin);
    ++shed;
  }
  if (shed != 0) {
    shard_.stats().connections_shed.add(shed);
    log::warning("event=memory_short shed_connections={} freed_bytes={}", shed, freed);
  }
}

void SessionTable::shrink() noexcept {
  size_t idle = 0;
  sessions_.for_each([&](const Session& session) { idle += session.idle() ? 1 : 0; });
  size_t wanted = (idle + kShrinkPart - 1) / kShrinkPart;
  sessions_.for_each([&](Session& session) {
    if (wanted != 0 && session.idle()) {
      session.drain();
      --wanted;
    }
  });
}

void SessionTable::close_all() noexcept {
  sessions_.for_each([](Session& session) { session.close(); });
}

void SessionTable::bury(buffer::ObjectPool<filter::Stream>::Ptr stream) noexcept {
  ended_streams_.push_back(std::move(stream));
  loop_.defer(graveyard_);
}

void SessionTable::bury(Http2Stream& stream) noexcept {
  ended_http2_streams_.push_back(
      buffer::ObjectPool<Http2Stream>::Ptr(&stream, {.pool = &http2_streams_}));
  loop_.defer(graveyard_);
}

void SessionTable::bury(Session& session) noexcept {
  session.uncount();
  session.unlink();
  closed_.push_back(session);
  --size_;
  shard_.stats().connections_active.subtract();
  loop_.defer(graveyard_);
}

void SessionTable::replace(Session& before, std::unique_ptr<Session> session, buffer::Slice&& seen,
                           buffer::Slice&& data) noexcept {
  before.uncount();
  before.unlink();
  closed_.push_back(before);
  loop_.defer(graveyard_);
  Session& added = *session.release();  // owned by sessions_
  sessions_.push_back(added);
  added.begin(std::move(seen), std::move(data));
}

void SessionTable::empty_graveyard() noexcept {
  ended_streams_.clear();
  ended_http2_streams_.clear();
  while (Session* session = closed_.pop_front()) {
    std::unique_ptr<Session>(session).reset();
  }
}

}  // namespace hangu::downstream
