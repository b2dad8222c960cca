// ClusterStore: counts and claims in a Redis or Valkey server that nodes share. A thread of its own
// talks to the server (StoreWorker); each shard has a port to it (ClusterStore::Port), which
// gathers what the shard asks in a turn, wakes the streams that wait, and gives up on an answer
// when its time is over, whatever the thread or the server does. Lives until the gateway ends, also
// when a reload has replaced it: streams may still know it.
//
//   shard: ask() ─▶ Port ──one post a turn──▶ Worker ──pipelined EVALSHA──▶ server
//          asker ◀─ Port ◀──one post a batch── Worker ◀──────────────────────┘
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/event/loop.h"
#include "hangu/filter/claim_store.h"
#include "hangu/filter/rate_limit.h"
#include "hangu/filter/rate_store.h"
#include "hangu/filter/stream.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/policy_stats.h"

#include "server/store_worker.h"

namespace hangu::server {

class ClusterStore final : public filter::RateStore,
                           public filter::ClaimStore,
                           private StoreWorkerOwner {
 public:
  /// `seed`: random; of the hashes of keys as long as the server has not said which to take.
  /// `tls`: nullptr: without.
  ClusterStore(const config::Store& config, std::shared_ptr<const tls::ClientContext> tls,
               uint32_t shards, std::shared_ptr<stats::StoreStats> stats, uint64_t seed);
  ~ClusterStore() override;

  // Control thread.
  void start();
  /// From the next connection on.
  void set_tls(std::shared_ptr<const tls::ClientContext> tls);
  /// Ends the thread; nobody is answered any more.
  void stop();
  /// Stays the limit's for good.
  uint32_t number_of(const std::string& limit);
  /// Before they are asked for; by number, null where one is not in use.
  void set_limits(std::vector<std::shared_ptr<const filter::RateLimit>> limits);
  StoreStatus status() const;

  const config::Store& config() const { return config_; }

  // On the shard's thread.
  void attach(uint32_t shard, event::Loop& loop, filter::ShardContext& context);
  void detach(uint32_t shard);

  // filter::RateStore
  bool up() const noexcept override { return up_.load(std::memory_order_relaxed); }

  uint64_t seed() const noexcept override { return seed_.load(std::memory_order_relaxed); }

  bool ask(filter::Stream& stream, const RateStore::Asker& asker,
           std::span<const Item> items) noexcept override;
  void add(uint32_t shard, const Item& item) noexcept override;

  // filter::ClaimStore
  bool claim(filter::Stream& stream, const ClaimStore::Asker& asker, const Key& key,
             std::chrono::seconds length) noexcept override;

 private:
  class Port;

  // StoreWorkerOwner
  void on_answers(uint32_t shard, std::vector<StoreAnswer> answers) override;
  void on_up(uint64_t seed) override;
  void on_down(std::string_view reason) override;

  void run(std::promise<void>& ready);
  /// To the worker, if there is one.
  void post(event::Task task);

  const config::Store config_;
  const std::shared_ptr<const tls::ClientContext> tls_;  // to begin with
  std::shared_ptr<stats::StoreStats> stats_;  // nullptr once it has ended: another may write them
  std::map<std::string, uint32_t> numbers_;
  std::atomic<bool> up_{false};
  std::atomic<uint64_t> seed_;
  std::vector<std::unique_ptr<Port>> ports_;  // each its shard's alone

  std::mutex worker_mutex_;
  StoreWorker* worker_ = nullptr;  // as long as the thread runs
  std::mutex mailboxes_mutex_;
  std::vector<event::Mailbox*> mailboxes_;  // of the shards
  mutable std::mutex status_mutex_;
  std::string reason_ = "not connected yet";
  bool tried_ = false;  // the worker's
  std::thread thread_;
};

}  // namespace hangu::server
