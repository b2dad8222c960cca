// StoreWorker: the thread that talks to the server of a ClusterStore: connects again after a while
// when that fails, asks and charges pipelined, tells its owner what came of it. All on its thread
// but the mailbox and stop().
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/event/loop.h"
#include "hangu/filter/claim_store.h"
#include "hangu/filter/rate_limit.h"
#include "hangu/filter/rate_store.h"
#include "hangu/policy/key_costs.h"
#include "hangu/redis/client.h"
#include "hangu/stats/policy_stats.h"
#include "hangu/tls/client_context.h"

namespace hangu::server {

/// What one shard wants: questions with their items one after the other, and counts.
struct StoreBatch {
  struct Question {
    uint64_t id = 0;
    uint32_t items = 0;
  };

  struct Claim {
    uint64_t id = 0;
    filter::ClaimStore::Key key{};
    std::chrono::seconds length{};
  };

  uint32_t shard = 0;
  std::vector<Question> questions;
  std::vector<Claim> claims;
  std::vector<filter::RateStore::Item> items;
  std::vector<policy::KeyCosts::Entry> costs;
  uint64_t late = 0;  // answers that the shard did not wait for
  uint64_t lost = 0;  // counts that it had no room for
};

struct StoreAnswer {
  uint64_t id = 0;
  filter::RateStore::Answer answer;  // to a question
  filter::ClaimStore::Answer claim = filter::ClaimStore::Answer::kUnknown;
};

/// Hears of the worker on its thread.
class StoreWorkerOwner {
 public:
  virtual void on_answers(uint32_t shard, std::vector<StoreAnswer> answers) = 0;
  virtual void on_up(uint64_t seed) = 0;
  virtual void on_down(std::string_view reason) = 0;

 protected:
  ~StoreWorkerOwner() = default;
};

class StoreWorker final : private redis::ClientHandler, private event::FlushHandler {
 public:
  /// `tls`: nullptr: without.
  StoreWorker(const config::Store& config, std::shared_ptr<const tls::ClientContext> tls,
              StoreWorkerOwner& owner, stats::StoreStats& stats);

  /// Until stop().
  void run();

  /// Any thread.
  void stop() { loop_->stop(); }

  event::Mailbox& mailbox() { return loop_->mailbox(); }

  void take(StoreBatch batch);
  void set_limits(std::vector<std::shared_ptr<const filter::RateLimit>> limits);
  /// From the next connection on: the files have changed.
  void set_tls(std::shared_ptr<const tls::ClientContext> tls);

 private:
  /// A command whose reply is due.
  struct Sent {
    enum class Kind : uint8_t {
      kGreeting,
      kTakeScript,
      kChargeScript,
      kSeed,
      kAsk,
      kClaim,
      kCharge,
      kPing
    };

    Kind kind = Kind::kPing;
    uint32_t shard = 0;
    uint64_t id = 0;
    std::vector<policy::KeyCosts::Entry> costs = {};
    TimePoint at;
  };

  template <void (StoreWorker::*Fire)()>
  struct WorkerTimer final : event::Timer {
    explicit WorkerTimer(StoreWorker& worker)
        : owner(worker) {}

    void on_timer() noexcept override { (owner.*Fire)(); }

    StoreWorker& owner;
  };

  // redis::ClientHandler
  void on_open() noexcept override;
  void on_reply(const redis::Reply& reply) noexcept override;
  void on_closed(std::string_view reason) noexcept override;
  // event::FlushHandler
  void flush() noexcept override;

  void connect();
  std::unique_ptr<net::SecurityLayer> make_security();
  void watch();
  void ask(const StoreBatch& batch, const StoreBatch::Question& question,
           std::span<const filter::RateStore::Item> items);
  void claim(uint32_t shard, const StoreBatch::Claim& claim);
  void charge(std::vector<policy::KeyCosts::Entry> costs);
  void sent(Sent command);
  void handle(const Sent& command, const redis::Reply& reply);
  void hear_answer(const Sent& command, const redis::Reply& reply);
  void hear_claim(const Sent& command, const redis::Reply& reply);
  void hear_charge(const Sent& command, const redis::Reply& reply);
  void answer(uint32_t shard, const StoreAnswer& answer);
  void fail(std::string_view reason);
  std::string key_of(uint32_t limit, uint64_t key) const;
  const filter::RateLimit* limit_of(uint32_t number) const;

  const config::Store& config_;
  StoreWorkerOwner& owner_;
  stats::StoreStats& stats_;
  buffer::BlockPool receive_blocks_;
  buffer::BlockPool small_blocks_;
  std::unique_ptr<event::Loop> loop_;
  std::shared_ptr<const tls::ClientContext> tls_;
  std::shared_ptr<tls::SessionCache> tls_sessions_;
  redis::Client client_;
  WorkerTimer<&StoreWorker::connect> reconnect_timer_;
  WorkerTimer<&StoreWorker::watch> watch_timer_;
  std::vector<std::shared_ptr<const filter::RateLimit>> limits_;  // by number
  std::deque<Sent> sent_;
  std::vector<std::vector<StoreAnswer>> answers_;  // of this turn, by shard
  std::string take_sha_;
  std::string charge_sha_;
  Duration backoff_{};
  TimePoint connecting_until_{};
  bool ready_ = false;
  bool open_ = false;  // connected, or about to be
};

}  // namespace hangu::server
