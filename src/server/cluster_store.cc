#include "server/cluster_store.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"
#include "hangu/policy/key_costs.h"

#include "server/store_worker.h"

namespace hangu::server {
namespace {

// Streams of one shard that wait for the store, and keys whose counts it is to be told.
constexpr size_t kWaitingMax = 65536;
constexpr size_t kCostsMax = 65536;

}  // namespace

// --- a shard's side ---------------------------------------------------------------------------

class ClusterStore::Port final : private event::FlushHandler {
 public:
  Port(ClusterStore& store, uint32_t shard, event::Loop& loop, filter::ShardContext& context)
      : store_(store),
        shard_(shard),
        loop_(loop),
        context_(context),
        deadline_(*this),
        sync_(*this) {}

  bool ask(filter::Stream& stream, const RateStore::Asker& asker, std::span<const Item> items) {
    if (waiting_.size() >= kWaitingMax) {
      return false;
    }
    asked_.questions.push_back(
        {.id = first_ + waiting_.size(), .items = static_cast<uint32_t>(items.size())});
    asked_.items.insert(asked_.items.end(), items.begin(), items.end());
    wait({.stream = stream.handle(), .asker = &asker});
    return true;
  }

  bool claim(filter::Stream& stream, const ClaimStore::Asker& asker, const Key& key,
             std::chrono::seconds length) {
    if (waiting_.size() >= kWaitingMax) {
      return false;
    }
    asked_.claims.push_back({.id = first_ + waiting_.size(), .key = key, .length = length});
    wait({.stream = stream.handle(), .claimer = &asker});
    return true;
  }

  void add(const Item& item) {
    if (!costs_.add(item.limit, item.key, item.cost, kCostsMax)) {
      ++asked_.lost;
    }
    if (!sync_.armed()) {
      sync_.arm(loop_.timers(), store_.config_.sync_interval);
    }
  }

  void on_answers(const std::vector<StoreAnswer>& answers) noexcept {
    for (const StoreAnswer& answer : answers) {
      if (answer.id >= first_) {  // else its time was over
        Waiting& waiting = waiting_[answer.id - first_];
        tell(std::exchange(waiting, {}), answer);
      }
    }
    drop_answered();
  }

 private:
  struct Waiting {
    filter::StreamHandle stream;
    const RateStore::Asker* asker = nullptr;  // one of these two; neither: it has its answer
    const ClaimStore::Asker* claimer = nullptr;
    TimePoint until{};

    bool waits() const { return asker != nullptr || claimer != nullptr; }
  };

  template <void (Port::*Fire)()>
  struct PortTimer final : event::Timer {
    explicit PortTimer(Port& port)
        : owner(port) {}

    void on_timer() noexcept override { (owner.*Fire)(); }

    Port& owner;
  };

  void flush() noexcept override {
    asked_.shard = shard_;
    store_.post([worker = &store_.worker_, asked = std::exchange(asked_, {})]() mutable {
      (*worker)->take(std::move(asked));
    });
  }

  void wait(Waiting waiting) {
    waiting.until = loop_.now() + store_.config_.timeout;
    waiting_.push_back(waiting);
    if (!deadline_.armed()) {
      deadline_.arm(loop_.timers(), store_.config_.timeout);
    }
    loop_.schedule_flush(*this);
  }

  void tell(const Waiting& waiting, const StoreAnswer& answer) {
    filter::Stream* const stream = context_.handles().find(waiting.stream);
    if (waiting.asker != nullptr && stream != nullptr) {
      waiting.asker->on_rate_answer(*stream, answer.answer);
    } else if (waiting.claimer != nullptr && stream != nullptr) {
      waiting.claimer->on_claim_answer(*stream, answer.claim);
    }
  }

  void drop_answered() {
    while (!waiting_.empty() && !waiting_.front().waits()) {
      waiting_.pop_front();
      ++first_;
    }
  }

  void give_up() {
    while (!waiting_.empty() && waiting_.front().until <= loop_.now()) {
      const Waiting late = waiting_.front();
      waiting_.pop_front();
      ++first_;
      if (late.waits()) {
        ++asked_.late;
        loop_.schedule_flush(*this);
      }
      tell(late, {});
    }
    drop_answered();
    if (!waiting_.empty()) {
      deadline_.arm(loop_.timers(), waiting_.front().until - loop_.now());
    }
  }

  void sync() {
    asked_.costs = costs_.take();
    loop_.schedule_flush(*this);
  }

  ClusterStore& store_;
  const uint32_t shard_;
  event::Loop& loop_;
  filter::ShardContext& context_;
  std::deque<Waiting> waiting_;  // in the order of asking, which is that of their times
  uint64_t first_ = 0;           // number of the first of them
  StoreBatch asked_;             // in this turn
  policy::KeyCosts costs_;
  PortTimer<&Port::give_up> deadline_;
  PortTimer<&Port::sync> sync_;
};

void ClusterStore::attach(uint32_t shard, event::Loop& loop, filter::ShardContext& context) {
  if (ports_[shard] == nullptr) {
    ports_[shard] = std::make_unique<Port>(*this, shard, loop, context);
    const std::lock_guard lock(mailboxes_mutex_);
    mailboxes_[shard] = &loop.mailbox();
  }
}

void ClusterStore::detach(uint32_t shard) {
  {
    const std::lock_guard lock(mailboxes_mutex_);
    mailboxes_[shard] = nullptr;
  }
  ports_[shard].reset();
}

bool ClusterStore::ask(filter::Stream& stream, const RateStore::Asker& asker,
                       std::span<const Item> items) noexcept {
  Port* const port = ports_[stream.shard().shard()].get();
  return up() && port != nullptr && port->ask(stream, asker, items);
}

bool ClusterStore::claim(filter::Stream& stream, const ClaimStore::Asker& asker, const Key& key,
                         std::chrono::seconds length) noexcept {
  Port* const port = ports_[stream.shard().shard()].get();
  return up() && port != nullptr && port->claim(stream, asker, key, length);
}

void ClusterStore::add(uint32_t shard, const Item& item) noexcept {
  Port* const port = ports_[shard].get();
  if (up() && port != nullptr) {
    port->add(item);
  }
}

// --- the control thread's ---------------------------------------------------------------------

ClusterStore::ClusterStore(const config::Store& config,
                           std::shared_ptr<const tls::ClientContext> tls, uint32_t shards,
                           std::shared_ptr<stats::StoreStats> stats, uint64_t seed)
    : config_(config),
      tls_(std::move(tls)),
      stats_(std::move(stats)),
      seed_(seed),
      ports_(shards),
      mailboxes_(shards) {}

ClusterStore::~ClusterStore() {
  stop();
}

void ClusterStore::start() {
  std::promise<void> ready;
  auto is_ready = ready.get_future();
  thread_ = std::thread([this, &ready] { run(ready); });
  is_ready.wait();
}

void ClusterStore::run(std::promise<void>& ready) {
  pthread_setname_np(pthread_self(), "hangu-store");
  block_asynchronous_signals();
  StoreWorker worker(config_, tls_, *this, *stats_);
  {
    const std::lock_guard lock(worker_mutex_);
    worker_ = &worker;
  }
  ready.set_value();
  worker.run();
  const std::lock_guard lock(worker_mutex_);
  worker_ = nullptr;
}

void ClusterStore::stop() {
  {
    const std::lock_guard lock(worker_mutex_);
    if (worker_ != nullptr) {
      worker_->stop();
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  up_.store(false, std::memory_order_relaxed);
  stats_.reset();
}

uint32_t ClusterStore::number_of(const std::string& limit) {
  return numbers_.try_emplace(limit, static_cast<uint32_t>(numbers_.size())).first->second;
}

void ClusterStore::set_tls(std::shared_ptr<const tls::ClientContext> tls) {
  post([worker = &worker_, tls = std::move(tls)]() mutable { (*worker)->set_tls(std::move(tls)); });
}

void ClusterStore::set_limits(std::vector<std::shared_ptr<const filter::RateLimit>> limits) {
  post([worker = &worker_, limits = std::move(limits)]() mutable {
    (*worker)->set_limits(std::move(limits));
  });
}

void ClusterStore::post(event::Task task) {
  const std::lock_guard lock(worker_mutex_);
  if (worker_ != nullptr) {
    worker_->mailbox().post(std::move(task));
  }
}

StoreStatus ClusterStore::status() const {
  HANGU_ASSERT(stats_ != nullptr);  // before stop()
  const std::lock_guard lock(status_mutex_);
  return {.name = config_.name,
          .address = fmt::format("{}:{}", config_.url.host, config_.url.port),
          .up = up(),
          .reason = up() ? std::string() : reason_,
          .connects = stats_->connects.value(),
          .asked = stats_->asked.value(),
          .late = stats_->late.value()};
}

// --- the worker's -----------------------------------------------------------------------------

void ClusterStore::on_answers(uint32_t shard, std::vector<StoreAnswer> answers) {
  const std::lock_guard lock(mailboxes_mutex_);
  if (event::Mailbox* const mailbox = mailboxes_[shard]) {
    mailbox->post(
        [port = ports_[shard].get(), answers = std::move(answers)] { port->on_answers(answers); });
  }
}

void ClusterStore::on_up(uint64_t seed) {
  seed_.store(seed, std::memory_order_relaxed);
  up_.store(true, std::memory_order_relaxed);
  stats_->up.set(1);
  tried_ = true;
  log::info("event=store_up store={} address={}:{}", config_.name, config_.url.host,
            config_.url.port);
}

void ClusterStore::on_down(std::string_view reason) {
  const bool was_up = up_.exchange(false, std::memory_order_relaxed);
  stats_->up.set(0);
  const std::lock_guard lock(status_mutex_);
  if (was_up || !std::exchange(tried_, true)) {  // not at every try
    log::warning("event=store_down store={} address={}:{} reason=\"{}\"", config_.name,
                 config_.url.host, config_.url.port, reason);
  }
  reason_ = reason;
}

}  // namespace hangu::server
