// The stream and its filter chains between neighbours in memory, under a fake clock.
#include "hangu/filter/stream.h"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include "hangu/filter/edge_rules.h"
#include "hangu/filter/rate_limit.h"
#include "hangu/filter/route_filter.h"
#include "hangu/stats/registry.h"

#include "tests/component/fake_shard.h"

namespace hangu::filter {
namespace {

/// Notes its calls in a log shared by all filters of a test; pauses or replies when told to.
class NotingFilter final : public Filter {
 public:
  NotingFilter(std::string name, std::vector<std::string>& log, uint8_t hooks)
      : name_(std::move(name)),
        hooks_(hooks),
        log_(log) {}

  std::string_view name() const override { return name_; }

  std::function<void(Stream&)> at_end;  // besides

  uint8_t hooks() const override { return hooks_; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override {
    log_.push_back(name_ + " request");
    if (refuse) {
      stream.send_local_reply({.status = 403, .code = "test.refused"}, name_);
    }
    return pause_request ? FilterStatus::kPause : FilterStatus::kContinue;
  }

  FilterStatus on_request_data(Stream&, buffer::Slice& data, bool) const noexcept override {
    log_.push_back(name_ + " data " + std::string(data.view()));
    return FilterStatus::kContinue;
  }

  FilterStatus on_response_headers(Stream&) const noexcept override {
    log_.push_back(name_ + " response");
    return pause_response ? FilterStatus::kPause : FilterStatus::kContinue;
  }

  FilterStatus on_response_data(Stream&, buffer::Slice&, bool) const noexcept override {
    log_.push_back(name_ + " response data");
    return FilterStatus::kContinue;
  }

  void on_stream_end(Stream& stream) const noexcept override {
    log_.push_back(name_ + " end " + std::to_string(stream.info.status));
    if (at_end) {
      at_end(stream);
    }
  }

  bool refuse = false;
  bool pause_request = false;
  bool pause_response = false;

 private:
  std::string name_;
  uint8_t hooks_;
  std::vector<std::string>& log_;
};

constexpr uint8_t kHeaderHooks = kRequestHeaders | kResponseHeaders | kStreamEnd;
constexpr uint8_t kDataHooks = kRequestData | kResponseData;

class StreamTest : public testing::Test {
 protected:
  explicit StreamTest(uint8_t hooks = kHeaderHooks | kDataHooks) {
    config::Config config;
    config.listeners.push_back({.name = "web", .bind = {"127.0.0.1:0"}});
    config.upstreams.push_back({.name = "origin"});
    config::Route route;
    route.name = "all";
    route.body_bytes_max = 10;
    config.routes.push_back(route);
    auto owned = std::make_shared<const config::Config>(std::move(config));
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->config = owned;
    snapshot->route_table = policy::RouteTable(*owned);
    snapshot->entry.add(std::make_shared<RouteFilter>());
    entry_ = std::make_shared<NotingFilter>("entry", log_, hooks);
    snapshot->entry.add(entry_);
    own_ = std::make_shared<NotingFilter>("own", log_, hooks);
    RouteRuntime runtime;
    runtime.config = &owned->routes[0];
    runtime.stats = registry_.route("all");
    runtime.chain.add(own_);
    snapshot->routes.push_back(std::move(runtime));
    snapshot->listeners.push_back({.config = owned->listeners.data()});
    snapshot_ = SnapshotRef(std::shared_ptr<const Snapshot>(snapshot));
  }

  ~StreamTest() override {
    if (stream_ != nullptr) {
      stream_->finish();
    }
  }

  Stream& begin(bool end, http::BodyFraming framing = http::BodyFraming::kNone,
                uint64_t length = 0) {
    stream_ = std::make_unique<Stream>(shard_, writer_, snapshot_, snapshot_->listeners[0]);
    stream_->request.method_text = "GET";
    stream_->request.path = "/";
    stream_->request.host = "example.org";
    stream_->request.framing = framing;
    stream_->request.content_length = length;
    stream_->start(end);
    return *stream_;
  }

  void answer(Stream& stream, int status, bool end) {
    stream.response.reset(stream.arena());
    stream.response.status = status;
    stream.on_response_head(end);
  }

  buffer::Slice slice(std::string_view text) {
    return stream_->arena().slice_of(stream_->arena().copy(text));
  }

  test::FakeShard shard_;
  test::FakeWriter writer_;
  stats::Registry registry_{1};
  std::vector<std::string> log_;
  std::shared_ptr<NotingFilter> entry_;
  std::shared_ptr<NotingFilter> own_;
  SnapshotRef snapshot_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(StreamTest, FiltersSeeTheRequestInOrderAndTheResponseInReverse) {
  Stream& stream = begin(true);
  EXPECT_EQ(shard_.upstream.started, 1);
  answer(stream, 200, true);
  stream.finish();
  EXPECT_EQ(log_, (std::vector<std::string>{"entry request", "own request", "own response",
                                            "entry response", "entry end 200", "own end 200"}));
  EXPECT_EQ(writer_.status, 200);
  EXPECT_TRUE(writer_.ended);
}

TEST_F(StreamTest, EndsOnceHoweverOften) {
  Stream& stream = begin(true);
  stream.on_client_gone();
  stream.finish();
  stream.on_client_gone();
  EXPECT_EQ(std::count(log_.begin(), log_.end(), "own end 499"), 1);
  EXPECT_EQ(shard_.upstream.cancelled, 1);
  EXPECT_EQ(stream.info.code, "client.closed");
}

// --- a stream that is kept as a record --------------------------------------------------------

/// What a filter may look at, as text: each view with the bytes it refers to.
std::string facts_of(Stream& stream) {
  std::string text;
  const auto add = [&text](const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_convertible_v<Value, std::string_view>) {
      text += std::string(value) + "|";
    } else {
      text += std::to_string(value) + "|";
    }
  };
  const StreamInfo& info = stream.info;
  add(info.started.time_since_epoch().count());
  add(info.response_started.time_since_epoch().count());
  for (const auto view : {info.client_ip, info.tls_protocol, info.tls_client_names, info.request_id,
                          info.trace_id, info.upstream_address, info.code, info.rule}) {
    add(view);
  }
  add(info.captures.find("id").value_or("none"));
  add(info.client_port);
  add(info.request_body_bytes);
  add(info.status);
  add(info.upgraded);
  http::RequestHead& request = stream.request;
  for (const auto view : {request.method_text, request.target, request.path, request.query,
                          request.authority, request.host}) {
    add(view);
  }
  add(request.has_query);
  for (const http::HeaderBlock* headers : {&request.headers, &stream.response.headers}) {
    for (const http::Header& header : *headers) {
      add(header.name());
      add(header.value());
    }
  }
  add(stream.response.reason);
  add(stream.response.status);
  add(stream.route()->config->name);
  add(stream.listener().config->name);
  return text;
}

TEST_F(StreamTest, NotesEachShadowDecisionOnce) {
  Stream& stream = begin(true);
  EXPECT_EQ(stream.info.shadow, "");
  for (const std::string_view what : {"clients", "limit", "clients", "lim", "limit", "lim"}) {
    stream.note_shadow(what);
  }
  EXPECT_EQ(stream.info.shadow, "clients,limit,lim");
}

TEST_F(StreamTest, RecordKeepsEveryFact) {
  Stream& stream = begin(false);
  const auto copy = [&](std::string_view text) { return stream.arena().copy(text); };
  stream.info.client_ip = copy("192.0.2.1");
  stream.info.client_port = 4711;
  stream.info.tls_client_names = copy("DNS:a.example");
  stream.info.request_id = copy("id-1");
  stream.info.upstream_address = copy("127.0.0.1:80");
  stream.info.request_body_bytes = 12345;
  stream.request.target = copy("/ws?a=b");
  stream.request.query = copy("a=b");
  stream.request.has_query = true;
  EXPECT_TRUE(stream.request.headers.add_copy("user-agent", std::string(300, 'u')));
  EXPECT_TRUE(stream.request.headers.add_copy("x-other", ""));
  EXPECT_TRUE(stream.request.headers.add_copy("cookie", std::string(20'000, 'c')));
  stream.request.headers.remove("x-none");
  const std::vector<std::string> names{"id"};  // the route's
  const auto values = std::make_unique<std::string_view>(copy("42"));
  stream.info.captures = {.names = names, .values = {values.get(), 1}};
  stream.info.upgraded = true;
  stream.response.reset(stream.arena());
  stream.response.status = 101;
  stream.response.reason = copy("Switching Protocols");
  EXPECT_TRUE(stream.response.headers.add_copy("upgrade", "websocket"));
  stream.on_response_head(false);
  const std::string before = facts_of(stream);

  const StreamRecord record(stream);
  EXPECT_TRUE(stream.finished());
  stream_.reset();  // and its arena
  EXPECT_EQ(log_.back(), "entry response");
  EXPECT_EQ(shard_.upstream.cancelled, 0);

  std::string after;
  own_->at_end = [&](Stream& ending) { after = facts_of(ending); };
  Stream restored(record, writer_);
  restored.finish();
  EXPECT_EQ(after, before);
  EXPECT_EQ(std::count(log_.begin(), log_.end(), "own end 101"), 1);
  EXPECT_EQ(std::count(log_.begin(), log_.end(), "entry end 101"), 1);
}

TEST_F(StreamTest, RecordLeavesOutTheHeadsWhenNobodyAsksForThem) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = snapshot_->config;
  snapshot->listeners = snapshot_->listeners;
  Stream stream(shard_, writer_, SnapshotRef(std::shared_ptr<const Snapshot>(snapshot)),
                snapshot->listeners[0]);
  EXPECT_FALSE(stream.end_observed());
  stream.info.status = 101;
  stream.info.request_id = stream.arena().copy("id-1");
  EXPECT_TRUE(stream.request.headers.add_copy("cookie", "c"));
  stream.start(true);
  const StreamRecord record(stream);
  Stream restored(record, writer_);
  EXPECT_EQ(restored.info.status, 101);
  EXPECT_EQ(restored.info.request_id, "id-1");
  EXPECT_TRUE(restored.request.headers.empty());
  restored.finish();
  EXPECT_EQ(shard_.stats().requests_active.value(), 0U);
}

TEST_F(StreamTest, RecordKeepsWhatRateLimitsHaveToCountAndNoHandle) {
  Stream& stream = begin(true);
  const StreamHandle handle = stream.handle();
  const auto verdicts = std::make_unique<std::array<RateVerdict, 2>>();
  verdicts->at(0).key = 77;
  verdicts->at(1).key = UINT64_MAX;
  verdicts->at(1).counted = false;
  const auto round = std::make_unique<RateLimitRound>(RateLimitRound{.verdicts = *verdicts});
  stream.info.rate_limit_round = round.get();
  answer(stream, 101, false);
  const StreamRecord record(stream);
  EXPECT_EQ(shard_.handles().find(handle), nullptr);
  Stream restored(record, writer_);
  ASSERT_NE(restored.info.rate_limit_round, nullptr);
  EXPECT_NE(restored.info.rate_limit_round, round.get());
  const auto kept = restored.info.rate_limit_round->verdicts;
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].key, 77U);
  EXPECT_TRUE(kept[0].counted);
  EXPECT_EQ(kept[1].key, UINT64_MAX);
  EXPECT_FALSE(kept[1].counted);
  restored.finish();
}

TEST_F(StreamTest, RecordEndsAsTheStreamWouldHave) {
  for (const bool client : {true, false}) {
    Stream& stream = begin(true);
    answer(stream, 101, false);
    const StreamRecord record(stream);
    Stream restored(record, writer_);
    if (client) {
      restored.on_client_gone();
    } else {
      restored.fail(upstream_error(Errc::kReset, "reset"));
      restored.finish();
    }
    EXPECT_EQ(restored.info.failure,
              client ? StreamFailure::kClientClosed : StreamFailure::kUpstream);
    EXPECT_EQ(restored.info.status, 101);
    EXPECT_EQ(writer_.aborted, !client);
  }
  EXPECT_EQ(shard_.stats().requests_active.value(), 0U);
  EXPECT_EQ(registry_.route("all")->slot(0).responses[1].value(), 2U);
}

TEST_F(StreamTest, RefusalSkipsTheRestAndTheUpstream) {
  own_->refuse = true;
  begin(true);
  EXPECT_EQ(shard_.upstream.started, 0);
  EXPECT_EQ(writer_.status, 403);
  EXPECT_NE(writer_.body.find("\"test.refused\""), std::string::npos);
  EXPECT_EQ(stream_->info.origin, "own");
}

TEST_F(StreamTest, PausedRequestGoesOnWhereItStopped) {
  entry_->pause_request = true;
  Stream& stream = begin(true);
  EXPECT_TRUE(writer_.request_paused);
  EXPECT_EQ(shard_.upstream.started, 0);
  stream.resume_request();
  EXPECT_FALSE(writer_.request_paused);
  EXPECT_EQ(shard_.upstream.started, 1);
  EXPECT_EQ(log_, (std::vector<std::string>{"entry request", "own request"}));
}

TEST_F(StreamTest, AHandleFindsTheStreamAsLongAsItLives) {
  StreamHandles& handles = shard_.handles();
  EXPECT_EQ(handles.find({}), nullptr);
  own_->pause_request = true;
  Stream& stream = begin(true);
  EXPECT_EQ(handles.size(), 0U);
  const StreamHandle handle = stream.handle();
  EXPECT_EQ(stream.handle(), handle);
  EXPECT_EQ(handles.find(handle), &stream);
  EXPECT_EQ(handles.size(), 1U);
  stream.on_client_gone();
  EXPECT_EQ(handles.find(handle), nullptr);
  EXPECT_EQ(handles.size(), 0U);
}

TEST_F(StreamTest, AHandleOfAStreamThatIsOverNeverFindsAnother) {
  own_->pause_request = true;
  std::vector<StreamHandle> old;
  for (int i = 0; i < 100; ++i) {
    Stream& stream = begin(true);
    const StreamHandle handle = stream.handle();
    for (const StreamHandle each : old) {
      EXPECT_EQ(shard_.handles().find(each), nullptr);
    }
    old.push_back(handle);
    EXPECT_EQ(shard_.handles().find(handle), &stream);
    stream.resume_request();
    stream.finish();
  }
}

TEST_F(StreamTest, AStreamThatWasRefusedWhilePausedIsOver) {
  own_->pause_request = true;
  Stream& stream = begin(false, http::BodyFraming::kLength, 5);
  const StreamHandle handle = stream.handle();
  shard_.handles().find(handle)->send_local_reply({.status = 429, .code = "test.late"}, "own");
  EXPECT_EQ(writer_.status, 429);
  stream.resume_request();
  EXPECT_EQ(shard_.upstream.started, 0);
  stream.finish();
  EXPECT_EQ(shard_.handles().find(handle), nullptr);
}

TEST_F(StreamTest, PausedResponseHoldsOnePieceOfTheBody) {
  own_->pause_response = true;
  Stream& stream = begin(true);
  answer(stream, 200, false);
  EXPECT_TRUE(stream.response_congested());
  stream.on_response_data(slice("body"), true);
  EXPECT_FALSE(writer_.status.has_value());
  stream.resume_response();
  EXPECT_EQ(writer_.status, 200);
  EXPECT_EQ(writer_.body, "body");
  EXPECT_TRUE(writer_.ended);
}

TEST_F(StreamTest, BodyOverTheLimitIsRefused) {
  Stream& stream = begin(false, http::BodyFraming::kChunked);
  stream.on_request_data(slice("12345"), false);
  EXPECT_EQ(shard_.upstream.body, "12345");
  stream.on_request_data(slice("678901"), false);
  EXPECT_EQ(writer_.status, 413);
  EXPECT_EQ(shard_.upstream.cancelled, 1);
}

TEST_F(StreamTest, AnnouncedBodyOverTheLimitNeverReachesTheUpstream) {
  begin(false, http::BodyFraming::kLength, 11);
  EXPECT_EQ(writer_.status, 413);
  EXPECT_EQ(shard_.upstream.started, 0);
}

TEST_F(StreamTest, FailureBeforeTheHeadIsAReplyAndAfterItACut) {
  Stream& stream = begin(true);
  stream.release_sink();
  stream.fail(upstream_error(Errc::kTimeout, "late"));
  EXPECT_EQ(writer_.status, 504);
  stream.finish();

  writer_ = {};
  Stream& second = begin(true);
  answer(second, 200, false);
  second.release_sink();
  second.fail(upstream_error(Errc::kReset, "gone"));
  EXPECT_TRUE(writer_.aborted);
  EXPECT_EQ(second.info.status, 200);
  EXPECT_EQ(second.info.failure, StreamFailure::kUpstream);
}

TEST_F(StreamTest, CountsByTheFakeClock) {
  Stream& stream = begin(true);
  shard_.time += std::chrono::milliseconds(3);
  answer(stream, 204, true);
  stream.finish();
  const auto slots = registry_.route("all")->slots();
  EXPECT_EQ(slots[0].responses[2].value(), 1U);
  EXPECT_EQ(slots[0].latency.sum_us(), 3000U);
  EXPECT_EQ(shard_.stats().requests_active.value(), 0U);
}

TEST_F(StreamTest, SlowClientHoldsTheUpstreamBack) {
  Stream& stream = begin(true);
  answer(stream, 200, false);
  writer_.slow = true;
  EXPECT_TRUE(stream.response_congested());
  stream.on_response_writable();
  EXPECT_EQ(shard_.upstream.writable, 0);
  writer_.slow = false;
  stream.on_response_writable();
  EXPECT_EQ(shard_.upstream.writable, 1);
}

TEST_F(StreamTest, InformationalResponsesPassUntilTheFinalHead) {
  Stream& stream = begin(true);
  stream.response.reset(stream.arena());
  stream.response.status = 103;
  stream.on_informational(stream.response);
  answer(stream, 200, true);
  stream.on_informational(stream.response);
  EXPECT_EQ(writer_.informational, std::vector<int>{103});
}

TEST_F(StreamTest, BodiesThatAFilterWantsToSeeGoNowhereElse) {
  net::Connection* const somewhere = reinterpret_cast<net::Connection*>(&stream_);
  writer_.target = shard_.upstream.target = somewhere;
  Stream& stream = begin(false, http::BodyFraming::kLength, 10);
  EXPECT_EQ(stream.request_target(), nullptr);
  answer(stream, 200, false);
  EXPECT_EQ(stream.response_target(), nullptr);
}

/// No filter has a data hook.
class UnseenBodyTest : public StreamTest {
 protected:
  UnseenBodyTest()
      : StreamTest(kHeaderHooks) {
    writer_.target = downstream_;
    shard_.upstream.target = upstream_;
  }

  // Never looked into.
  net::Connection* const downstream_ = reinterpret_cast<net::Connection*>(&writer_);
  net::Connection* const upstream_ = reinterpret_cast<net::Connection*>(&shard_);
};

TEST_F(UnseenBodyTest, GoesToTheOtherSideAndIsCounted) {
  Stream& stream = begin(false, http::BodyFraming::kLength, 10);
  EXPECT_EQ(stream.request_target(), upstream_);
  stream.on_request_spliced(6, false);
  EXPECT_FALSE(shard_.upstream.request_ended);
  stream.on_request_spliced(4, true);
  EXPECT_TRUE(shard_.upstream.request_ended);
  EXPECT_EQ(stream.info.request_body_bytes, 10U);

  EXPECT_EQ(stream.response_target(), nullptr);  // before the head
  answer(stream, 200, false);
  EXPECT_EQ(stream.response_target(), downstream_);
  stream.on_response_spliced(70'000, false);
  EXPECT_FALSE(writer_.ended);
  stream.on_response_spliced(30'000, true);
  EXPECT_TRUE(writer_.ended);
  EXPECT_EQ(stream.info.response_body_bytes, 100'000U);
  EXPECT_EQ(writer_.body, "");
}

TEST_F(UnseenBodyTest, GoesNowhereWhileAFilterHoldsTheHead) {
  own_->pause_request = true;
  own_->pause_response = true;
  Stream& stream = begin(false, http::BodyFraming::kLength, 10);
  EXPECT_EQ(stream.request_target(), nullptr);
  stream.resume_request();
  EXPECT_EQ(stream.request_target(), upstream_);
  answer(stream, 200, false);
  EXPECT_EQ(stream.response_target(), nullptr);
  stream.resume_response();
  EXPECT_EQ(stream.response_target(), downstream_);
}

TEST_F(UnseenBodyTest, GoesNowhereAfterALocalReply) {
  Stream& stream = begin(false, http::BodyFraming::kLength, 10);
  stream.fail(upstream_error(Errc::kReset, "gone"));
  EXPECT_EQ(stream.request_target(), nullptr);
  EXPECT_EQ(stream.response_target(), nullptr);
}

}  // namespace
}  // namespace hangu::filter
