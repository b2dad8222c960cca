#include "hangu/audit/audit_log.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/hex.h"
#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::audit {
namespace {

constexpr int kBatchMs = 50;  // how long a record may wait for company
constexpr size_t kBatchBytes = 1024 * 1024;
constexpr size_t kConsumeBytes = 64 * 1024;  // after which a ring gets its room back
constexpr auto kStopPatience = std::chrono::seconds(2);

TimePoint now() {
  return std::chrono::steady_clock::now();
}

WallTime wall_now() {
  return std::chrono::system_clock::now();
}

std::string_view to_string(Fsync fsync) {
  switch (fsync) {
    case Fsync::kNever: return "never";
    case Fsync::kInterval: return "interval";
    case Fsync::kBatch: return "batch";
  }
  return "";
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

FileWriterOptions with_callback(FileWriterOptions options, std::function<void()> on_archived) {
  options.on_archived = std::move(on_archived);
  return options;
}

std::string_view to_string(Backpressure policy) {
  switch (policy) {
    case Backpressure::kSpill: return "spill";
    case Backpressure::kDropWithMarker: return "drop_with_marker";
    case Backpressure::kFailClosed: return "fail_closed";
  }
  return "";
}

uint64_t milliseconds(Duration duration) {
  return static_cast<uint64_t>(duration / std::chrono::milliseconds(1));
}

std::string_view view_of(const iovec& piece) {
  return {static_cast<const char*>(piece.iov_base), piece.iov_len};
}

}  // namespace

Result<std::unique_ptr<AuditLog>, std::string> AuditLog::open(AuditLogOptions options) {
  std::optional<tls::SigningKey> key;
  if (!options.signing_key.empty()) {
    auto loaded = tls::SigningKey::load(options.signing_key);
    if (!loaded) {
      return Failure<std::string>{loaded.error()};
    }
    key = std::move(*loaded);
  }
  auto masker = Masker::create(options.mask_patterns);
  if (!masker) {
    return Failure<std::string>{masker.error()};
  }
  LogLock lock(options.file.path + ".lock");
  if (!lock.held()) {
    return Failure<std::string>{options.file.path + ": another process writes it, or may not"};
  }
  auto tail = read_tail(options.file.path);
  if (!tail) {
    return Failure<std::string>{tail.error()};
  }
  if (auto done = recover_spill(options.file.path, options.file.spill_path, *tail); !done) {
    return Failure<std::string>{done.error()};
  }
  if (options.on_backpressure != Backpressure::kSpill) {
    options.file.spill_bytes_max = 0;
  }
  const bool mask = options.mask;
  auto log = std::unique_ptr<AuditLog>(
      new AuditLog(std::move(options), std::move(lock), *tail, std::move(key),
                   mask ? std::optional<Masker>(std::move(*masker)) : std::nullopt));
  if (auto started = log->file_.start(); !started) {
    return Failure<std::string>{started.error()};
  }
  if (log->syslog_ != nullptr) {
    log->syslog_->start();
  }
  log->begin(*tail);
  log->archiver_.start();
  log->thread_ = std::thread([log = log.get()] { log->run(); });
  return log;
}

AuditLog::AuditLog(AuditLogOptions options, LogLock lock, const LogTail& tail,
                   std::optional<tls::SigningKey> key, std::optional<Masker> masker)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      queues_(options_.shards + 1, options_.ring_bytes),
      reserved_(options_.shards + 1),
      archiver_({.path = options_.file.path,
                 .compress = options_.compress,
                 .retention = options_.retention}),
      file_(with_callback(options_.file, [this] { archiver_.wake(); })),
      syslog_(options_.syslog ? std::make_unique<SyslogSink>(*options_.syslog) : nullptr),
      chain_(options_.chain, options_.node, tail.end),
      key_(std::move(key)),
      masker_(std::move(masker)),
      lost_said_(options_.shards + 1) {}

AuditLog::~AuditLog() {
  if (!thread_.joinable()) {
    return;
  }
  deadline_ = now() + kStopPatience;
  stopping_ = true;
  queues_.wake();
  thread_.join();
  if (const size_t left = file_.stop(deadline_); left != 0) {
    log::error("event=audit_lost path={} bytes={}", options_.file.path, left);
  }
  if (syslog_ != nullptr) {
    syslog_->stop(deadline_);
  }
}

bool AuditLog::append(uint32_t shard, Record& record) noexcept {
  std::array<char, kPackedBytesMax> buffer;
  record.lost = queues_.ring(shard).dropped();
  return queues_.append(shard, pack(record, buffer));
}

bool AuditLog::reserve(uint32_t shard, uint32_t bytes) noexcept {
  const RecordRing& ring = queues_.ring(shard);
  const uint64_t taken = ring.held() + reserved_[shard].bytes + bytes;
  if (taken > ring.capacity() || file_.failing()) {
    return false;
  }
  reserved_[shard].bytes += bytes;
  return true;
}

// --- the beginning, before the thread is there --------------------------------------------------

/// The first records of this run.
void AuditLog::begin(const LogTail& tail) {
  continue_file(tail);
  add_started(tail);
  flush();
}

/// Goes on with the file that is there, if it can be gone on with.
void AuditLog::continue_file(const LogTail& tail) {
  file_first_seq_ = tail.first_seq;
  file_bytes_ = tail.bytes;
  file_opened_ = now();
  const bool empty = tail.first_seq == 0;
  if (empty) {
    open_file(tail.end.seq == 0 ? "first" : "start", tail.previous_file, 0);
  } else if (!tail.torn.empty() || tail.kind != options_.chain) {
    // What is left of a line stays where it is, as the last of a file that nobody continues.
    const std::string archive = archived_path(options_.file.path, tail.first_seq);
    batch_.archive_as = archive;
    open_file(tail.torn.empty() ? "chain" : "torn", file_name(archive), tail.torn.size());
  }
}

/// Says under which rules this run writes: what may be missing after a crash follows from them.
void AuditLog::add_started(const LogTail& tail) {
  Record started;
  started.event = Event::kProcessStarted;
  const std::string detail =
      fmt::format("pid={} on_backpressure={} mask={}", ::getpid(),
                  to_string(options_.on_backpressure), options_.mask ? "on" : "off");
  const std::string_view before = tail.upgraded ? "upgrade" : tail.clean ? "start" : kUncleanEnd;
  started.set(Text::kDetail, detail);
  started.set(Text::kReason, tail.end.seq == 0 ? "first" : before);
  started.set(Text::kFsync, to_string(options_.file.fsync));
  if (options_.file.fsync == Fsync::kInterval) {
    started.set(Number::kFsyncMs, milliseconds(options_.file.fsync_interval));
  }
  started.set(Number::kBatchMs, kBatchMs);
  if (key_) {
    started.set(Number::kCheckpointRecords, options_.checkpoint_records);
    started.set(Number::kCheckpointMs, milliseconds(options_.checkpoint_interval));
  }
  add_own(started);
}

/// The first record of a file; the batch is empty but for what is to be done to the file before.
void AuditLog::open_file(std::string_view reason, const std::string& previous_file,
                         uint64_t torn_bytes) {
  file_first_seq_ = chain_.end().seq + 1;
  file_bytes_ = 0;
  file_opened_ = now();
  Record opened;
  opened.event = Event::kLogOpened;
  opened.set(Text::kReason, reason);
  opened.set(Text::kPreviousFile, previous_file);
  opened.set(Text::kChain, to_string(options_.chain));
  if (key_) {
    opened.set(Text::kKey, key_->id());
  }
  if (torn_bytes != 0) {
    opened.set(Number::kTornBytes, torn_bytes);
  }
  add_own(opened);
}

// --- the thread -------------------------------------------------------------------------------

void AuditLog::run() {
  pthread_setname_np(pthread_self(), "hangu-audit");
  block_asynchronous_signals();
  while (!stopping_) {
    const bool away = mode_ == Mode::kAway || mode_ == Mode::kTaking;
    queues_.wait(hasty_ ? 0 : kBatchMs, stuck_ || away);
    run_task();
    turn();
  }
  finish();
}

void AuditLog::turn() {
  if (mode_ == Mode::kAway || (mode_ == Mode::kTaking && !go_on_writing())) {
    return;
  }
  take_relayed_records();
  if (mode_ == Mode::kRelaying) {
    take_in();
    flush_relay();
    return;
  }
  rotate_if_due();
  take_in();
  record_expired();
  add_checkpoint_if_due();
  flush();
}

void AuditLog::finish() {
  if (mode_ == Mode::kAway) {
    mode_ = Mode::kTaking;
  }
  turn();
  if (mode_ == Mode::kRelaying) {
    finish_relay();
  }
  if (mode_ != Mode::kRelaying) {
    finish_writing();
  }
}

void AuditLog::finish_writing() {
  while ((queues_.held() != 0 || mode_ == Mode::kTaking) && now() < deadline_) {
    queues_.wait(kBatchMs, true);
    turn();
  }
  if (mode_ != Mode::kWriting) {
    const size_t unsent = relay_ != nullptr ? relay_->take_unsent([](const Record&) {}) : 0;
    log::error("event=audit_lost path={} bytes={} records={} reason=\"another process has it\"",
               options_.file.path, queues_.held(), unsent);
    return;
  }
  Record stopped;
  stopped.event = Event::kProcessStopped;
  if (const size_t left = queues_.held(); left != 0) {
    stopped.outcome = Outcome::kFailed;
    stopped.set(Text::kReason, "records were left in memory");
  }
  add_own(stopped);
  if (key_) {
    add_checkpoint(to_string(Event::kProcessStopped));  // nothing can be cut off unseen
  }
  flush();
}

void AuditLog::take_in() {
  stuck_ = false;
  for (uint32_t i = 0; i < queues_.size() && !stuck_; ++i) {
    const uint32_t producer = options_.shards - i;  // the control thread's first
    stuck_ = !take_ring(producer);
    if (!stuck_) {
      say_lost(producer, queues_.ring(producer).dropped());
    }
  }
}

/// What the ring holds now; false: the file takes no more.
bool AuditLog::take_ring(uint32_t producer) {
  RecordRing& ring = queues_.ring(producer);
  size_t left = ring.held();
  while (left != 0) {
    if (!has_room()) {
      return false;
    }
    iovec pieces[2];
    const size_t count = ring.peek(pieces);
    const std::string_view first = view_of(pieces[0]);
    size_t taken = 0;
    if (!take_piece(producer, first.substr(0, left), taken)) {
      // The next record lies across the end of the ring.
      scratch_.assign(first, 0, kPackedBytesMax);
      scratch_.append(view_of(pieces[count - 1]), 0, kPackedBytesMax);
      const uint32_t size = packed_size(scratch_);
      take_record(producer, std::string_view(scratch_).substr(0, size));
      taken = size;
    }
    ring.consume(taken);
    left -= taken;
    if (batch_.lines.size() >= kBatchBytes) {
      flush();
    }
  }
  return true;
}

/// Takes whole records from the front of `piece`, up to a bound; false: there is not even one.
bool AuditLog::take_piece(uint32_t producer, std::string_view piece, size_t& taken) {
  while (taken < kConsumeBytes && piece.size() >= kPackedSizeBytes) {
    const uint32_t size = packed_size(piece);
    if (size > piece.size()) {
      break;
    }
    take_record(producer, piece.substr(0, size));
    piece.remove_prefix(size);
    taken += size;
    if (mode_ == Mode::kWriting) {
      rotate_if_full();
    }
  }
  return taken != 0;
}

bool AuditLog::has_room() const {
  return mode_ == Mode::kRelaying ? relay_->has_room() : file_.has_room();
}

void AuditLog::take_record(uint32_t producer, std::string_view packed) {
  Record record = unpack(packed);
  say_lost(producer, record.lost);
  if (masker_) {
    record.set(Text::kPath, masker_->path(record.text(Text::kPath)));
    record.set(Text::kQuery, masker_->query(record.text(Text::kQuery)));
  }
  generation_ = std::max(generation_, record.generation);
  add(record, producer);
}

/// `lost`: of this ring, ever.
void AuditLog::say_lost(uint32_t producer, uint64_t lost) {
  if (lost <= lost_said_[producer]) {
    return;
  }
  Record marker;
  marker.event = Event::kLogLost;
  marker.outcome = Outcome::kFailed;
  marker.set(Number::kAmount, lost - lost_said_[producer]);
  marker.set(Number::kShard, producer);
  lost_said_[producer] = lost;
  add_own(marker);
}

void AuditLog::add(const Record& record, uint32_t producer) {
  if (mode_ == Mode::kRelaying) {
    relay_->put(record);
    return;
  }
  const size_t before = batch_.lines.size();
  chain_.append(record, producer, batch_.lines);
  file_bytes_ += batch_.lines.size() - before;
  written_.fetch_add(1, std::memory_order_relaxed);
  if (!key_) {
    return;
  }
  if (++unsigned_records_ == 1) {
    unsigned_since_ = now();
  }
  if (unsigned_records_ >= options_.checkpoint_records) {
    add_checkpoint();
  }
}

void AuditLog::add_own(Record& record) {
  record.time = wall_now();
  record.generation = generation_;
  add(record, options_.shards);
}

void AuditLog::add_checkpoint_if_due() {
  if (unsigned_records_ != 0 && now() - unsigned_since_ >= options_.checkpoint_interval) {
    add_checkpoint();
  }
}

void AuditLog::add_checkpoint(std::string_view reason) {
  const uint64_t count = std::exchange(unsigned_records_, 0);
  const ChainEnd end = chain_.end();
  const std::string hash = to_hex(end.hash);
  Record record;
  record.event = Event::kCheckpoint;
  record.set(Text::kReason, reason);
  record.time = wall_now();
  record.generation = generation_;
  std::array<char, 64> buffer;
  JsonLine time_line(buffer);
  time_line.add_time("t", record.time.time_since_epoch().count(), 6);
  const std::string time(member(time_line.begun(), "t"));
  const std::string signature =
      key_->sign(checkpoint_text(options_.node, end.seq, hash, count, time));
  record.set(Text::kObject, hash);
  record.set(Text::kKey, key_->id());
  record.set(Text::kSignature, signature);
  record.set(Number::kLastSeq, end.seq);
  record.set(Number::kAmount, count);
  const size_t before = batch_.lines.size();
  chain_.append(record, options_.shards, batch_.lines);
  // The copy that is shipped is the line itself.
  batch_.checkpoints += std::string_view(batch_.lines).substr(before);
  file_bytes_ += batch_.lines.size() - before;
  written_.fetch_add(1, std::memory_order_relaxed);
}

void AuditLog::rotate_if_full() {
  if (options_.rotate_bytes != 0 && file_bytes_ >= options_.rotate_bytes) {
    rotate("size");
  }
}

void AuditLog::rotate_if_due() {
  rotate_if_full();
  const bool old = options_.rotate_interval != Duration::zero() &&
                   now() - file_opened_ >= options_.rotate_interval;
  // A file that holds nothing but its first record need not be replaced for its age.
  if (old && chain_.end().seq > file_first_seq_) {
    rotate("age");
  }
}

void AuditLog::rotate(std::string_view reason) {
  flush();
  const std::string archive = archived_path(options_.file.path, file_first_seq_);
  batch_.archive_as = archive;
  open_file(reason, file_name(archive), 0);
  flush();
}

void AuditLog::record_expired() {
  for (const ArchivedFile& file : archiver_.take_expired()) {
    Record deleted;
    deleted.event = Event::kLogDeleted;
    const std::string name = file_name(file.path);
    deleted.set(Text::kObject, name);
    deleted.set(Text::kReason, "retention");
    deleted.set(Number::kFirstSeq, file.first_seq);
    deleted.set(Number::kLastSeq, file.last_seq != 0 ? file.last_seq : file_first_seq_ - 1);
    add_own(deleted);
    batch_.remove.push_back(file.path);
  }
}

void AuditLog::flush() {
  if (mode_ == Mode::kRelaying) {
    flush_relay();
  } else if (!batch_.lines.empty()) {
    if (syslog_ != nullptr) {
      syslog_->put(batch_.lines);
    }
    file_.put(std::exchange(batch_, {}));
    batch_.lines.reserve(kBatchBytes + kLineBytesMax);
  }
}

// --- from process to process ------------------------------------------------------------------

void AuditLog::on_thread(const std::function<void()>& task) {
  std::promise<void> done;
  {
    const std::lock_guard lock(task_mutex_);
    task_ = [&] {
      task();
      done.set_value();
    };
  }
  queues_.wake();
  done.get_future().wait();
}

void AuditLog::run_task() {
  std::function<void()> task;
  {
    const std::lock_guard lock(task_mutex_);
    task = std::exchange(task_, nullptr);
  }
  if (task) {
    task();
  }
}

Result<void, std::string> AuditLog::hand_over(std::string_view detail) {
  std::string error;
  on_thread([&] { error = leave(detail); });
  return error.empty() ? Result<void, std::string>() : Failure<std::string>{error};
}

/// What is wrong; empty: all is written.
std::string AuditLog::leave(std::string_view detail) {
  if (mode_ != Mode::kWriting) {
    return "another process has the audit log";
  }
  turn();
  Record upgraded;
  upgraded.event = Event::kProcessUpgraded;
  upgraded.set(Text::kReason, kHandover);
  upgraded.set(Text::kDetail, detail);
  add_own(upgraded);
  if (key_) {
    add_checkpoint(to_string(Event::kProcessUpgraded));
  }
  flush();
  archiver_.stop();
  const size_t left = file_.stop(now() + kStopPatience);
  if (left != 0) {
    const auto started = file_.start();
    archiver_.start();
    return fmt::format("the audit log cannot be handed over: {} bytes wait to be written{}", left,
                       started ? "" : "; " + started.error());
  }
  lock_.reset();
  mode_ = Mode::kAway;
  return {};
}

void AuditLog::take_back() {
  on_thread([this] {
    if (mode_ == Mode::kAway) {
      mode_ = Mode::kTaking;
    }
  });
}

/// Where the file ends now, once it is ours.
bool AuditLog::go_on_writing() {
  lock_.emplace(options_.file.path + ".lock");
  if (!lock_->held()) {
    return false;
  }
  const auto tail = reclaim_files();
  if (!tail) {
    if (!std::exchange(complained_, true)) {
      log::error("event=audit_not_taken_back path={} error=\"{}\"", options_.file.path,
                 tail.error());
    }
    lock_.reset();
    return false;
  }
  complained_ = false;
  chain_.go_on_from(tail->end);
  mode_ = Mode::kWriting;
  archiver_.start();
  continue_file(*tail);
  if (!tail->clean) {
    add_started(*tail);
  }
  if (relay_ != nullptr) {
    relay_->take_unsent([this](const Record& record) { add(record, options_.shards); });
    relay_.reset();
  }
  flush();
  return true;
}

/// What the other process has left of them.
Result<LogTail, std::string> AuditLog::reclaim_files() {
  auto tail = read_tail(options_.file.path);
  if (!tail) {
    return tail;
  }
  if (auto done = recover_spill(options_.file.path, options_.file.spill_path, *tail); !done) {
    return Failure<std::string>{done.error()};
  }
  if (auto started = file_.start(); !started) {
    return Failure<std::string>{started.error()};
  }
  return tail;
}

void AuditLog::relay_to(int socket) {
  on_thread([this, socket] {
    relay_ = std::make_unique<RelayWriter>(socket);
    if (mode_ == Mode::kAway) {
      mode_ = Mode::kRelaying;
    }
  });
}

void AuditLog::flush_relay() {
  if (!relay_->send()) {
    log::error("event=audit_relay_broken path={}", options_.file.path);
    mode_ = Mode::kTaking;  // it is gone: perhaps the files can be had again
  }
}

void AuditLog::take_relayed(int socket) {
  ++relaying_;
  on_thread([this, socket] { relayed_.emplace_back(socket); });
}

void AuditLog::take_relayed_records() {
  hasty_ = false;
  if (relayed_.empty() || !has_room()) {
    return;
  }
  std::erase_if(relayed_, [this](RelayReader& reader) {
    const RelayReader::State state =
        reader.read([this](const Record& record) { add(record, options_.shards); });
    hasty_ = hasty_ || state == RelayReader::State::kMore;
    if (state == RelayReader::State::kEnded && !reader.finished()) {
      Record lost;
      lost.event = Event::kLogLost;
      lost.outcome = Outcome::kFailed;
      lost.set(Text::kReason, "a process that relayed has ended without saying so");
      add_own(lost);
    }
    return state == RelayReader::State::kEnded;
  });
  relaying_ = static_cast<uint32_t>(relayed_.size());
}

void AuditLog::finish_relay() {
  while ((queues_.held() != 0 || hasty_) && mode_ == Mode::kRelaying && now() < deadline_) {
    queues_.wait(1, true);
    turn();
  }
  if (mode_ != Mode::kRelaying) {
    return;
  }
  const std::string detail = fmt::format("pid={}", ::getpid());
  Record drained;
  drained.event = Event::kProcessUpgraded;
  drained.set(Text::kReason, kDrained);
  drained.set(Text::kDetail, detail);
  add_own(drained);
  while (mode_ == Mode::kRelaying && !relay_->empty() && now() < deadline_) {
    flush_relay();
    queues_.wait(1, true);
  }
  if (mode_ != Mode::kRelaying) {
    return;
  }
  const size_t left = queues_.held();
  if (const size_t unsent = relay_->take_unsent([](const Record&) {}); unsent + left != 0) {
    log::error("event=audit_lost path={} bytes={} records={} reason=\"the other process is slow\"",
               options_.file.path, left, unsent);
  }
  relay_.reset();
}

}  // namespace hangu::audit
