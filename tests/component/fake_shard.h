// The neighbours of a Stream in memory: a shard whose clock stands still until it is told, a writer
// that notes what the client would get, a terminal that notes what the upstream would get.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/event/timer.h"
#include "hangu/filter/stream.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::test {

class FakeWriter final : public filter::ResponseWriter {
 public:
  void write_informational(filter::Stream&, const http::ResponseHead& head) noexcept override {
    informational.push_back(head.status);
  }

  void write_head(filter::Stream& stream, bool end) noexcept override {
    status = stream.response.status;
    ended = end;
  }

  void write_data(filter::Stream&, buffer::Slice&& data, bool end) noexcept override {
    body += data.view();
    ended = end;
  }

  void write_trailers(filter::Stream&, const http::HeaderBlock& trailers) noexcept override {
    trailer_count = trailers.size();
    ended = true;
  }

  void abort(filter::Stream&) noexcept override { aborted = true; }

  void pause_request(filter::Stream&, bool paused) noexcept override { request_paused = paused; }

  bool congested(const filter::Stream&) const noexcept override { return slow; }

  net::Connection* response_target(const filter::Stream&) noexcept override { return target; }

  std::vector<int> informational;
  std::optional<int> status;
  std::string body;
  size_t trailer_count = 0;
  bool ended = false;
  bool aborted = false;
  bool request_paused = false;
  bool slow = false;
  net::Connection* target = nullptr;  // never looked into
};

/// Stands for proxy and upstream.
class FakeTerminal final : public filter::Terminal, public filter::RequestSink {
 public:
  void start(filter::Stream& stream, bool end) noexcept override {
    stream.attach_sink(*this);
    ++started;
    request_ended = end;
  }

  void on_request_data(buffer::Slice&& data, bool end) noexcept override {
    body += data.view();
    request_ended = end;
  }

  void on_request_trailers(const http::HeaderBlock&) noexcept override { request_ended = true; }

  net::Connection* request_target() noexcept override { return target; }

  void on_response_writable() noexcept override { ++writable; }

  void cancel() noexcept override { ++cancelled; }

  int started = 0;
  int cancelled = 0;
  int writable = 0;
  std::string body;
  bool request_ended = false;
  net::Connection* target = nullptr;
};

/// Has no room.
class FakeMirrors final : public filter::Mirrors {
 public:
  filter::RequestCopy* begin(filter::Stream&, const filter::MirrorTarget&) noexcept override {
    return nullptr;
  }
};

/// Keeps what is asked until it is answered with what a test says.
class FakeCallouts final : public filter::Callouts {
 public:
  explicit FakeCallouts(buffer::BlockPool& blocks)
      : blocks_(blocks) {}

  struct Question final : filter::Callout {
    Question(buffer::BlockPool& blocks, filter::CalloutAsker& to)
        : asker(to),
          memory(blocks, blocks) {
      head.reset(memory);
    }

    http::RequestHead& request() noexcept override { return head; }

    buffer::Arena& arena() noexcept override { return memory; }

    void send(std::string_view where, std::string_view what) noexcept override {
      target = where;
      body = what;
    }

    void cancel() noexcept override { cancelled = true; }

    filter::CalloutAsker& asker;
    buffer::Arena memory;
    http::RequestHead head;
    std::string target;
    std::string body;
    bool cancelled = false;
  };

  filter::Callout& begin(filter::Stream&, const filter::CalloutTarget&,
                         filter::CalloutAsker& asker) noexcept override {
    return *questions.emplace_back(std::make_unique<Question>(blocks_, asker));
  }

  std::vector<std::unique_ptr<Question>> questions;

 private:
  buffer::BlockPool& blocks_;
};

class FakeShard final : public filter::ShardContext {
 public:
  TimePoint now() const noexcept override { return time; }

  WallTime wall_time() const noexcept override { return WallTime{}; }

  uint64_t random() noexcept override { return ++random_; }

  stats::ShardStats& stats() noexcept override { return stats_; }

  uint32_t shard() const noexcept override { return 0; }

  filter::Terminal& terminal() noexcept override { return upstream; }

  buffer::BlockPool& small_blocks() noexcept override { return small_; }

  buffer::BlockPool& large_blocks() noexcept override { return large_; }

  filter::Compressors& compressors() noexcept override { return compressors_; }

  filter::Mirrors& mirrors() noexcept override { return mirrors_; }

  filter::Callouts& callouts() noexcept override { return callouts_; }

  /// For tests of filters that ask.
  FakeCallouts& questions() { return callouts_; }

  event::Timers& timers() noexcept override { return timers_; }

  void defer(event::Deferred& work) noexcept override {
    if (!work.pending()) {
      deferred_.push_back(work);
    }
  }

  void queue_costly(event::Costly& work) noexcept override {
    if (!work.pending()) {
      costly_.push_back(work);
    }
  }

  /// What the loop does at the end of a turn, but for its limit on costly work.
  void end_turn() {
    while (!deferred_.empty() || !costly_.empty()) {
      if (event::Deferred* work = deferred_.pop_front()) {
        work->run_deferred();
      } else {
        costly_.pop_front()->run_costly();
      }
    }
  }

  /// Lets time pass.
  void advance(Duration duration) {
    time += duration;
    timers_.advance(time);
    end_turn();
  }

  TimePoint time{std::chrono::hours(1)};
  FakeTerminal upstream;

 private:
  event::Timers timers_{time};
  IntrusiveList<event::Deferred> deferred_;
  IntrusiveList<event::Costly> costly_;
  FakeMirrors mirrors_;
  filter::Compressors compressors_{8 * 1024 * 1024};
  uint64_t random_ = 0;
  stats::ShardStats stats_;
  buffer::BlockPool small_{{.block_bytes = 2048, .blocks_max = 256}};
  buffer::BlockPool large_{{.block_bytes = 65536, .blocks_max = 16}};
  FakeCallouts callouts_{small_};
};

}  // namespace hangu::test
